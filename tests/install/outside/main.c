#include <mullama/mullama.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    if (mullama_abi_version() != MULLAMA_ABI_VERSION) {
        return 1;
    }
    printf("mullama %s with %s\n", mullama_version(), mullama_engine_version());
    return strcmp(mullama_version(), EXPECTED_VERSION) == 0 ? 0 : 2;
}
