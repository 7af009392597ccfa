// What llama.cpp keeps for the whole process.
#pragma once

namespace mullama::backend::llama {

// Makes llama.cpp ready, once. It then logs to us, prints nothing, and starts no debugger when it
// aborts: its last words go to the sink before the process ends.
void start();

} // namespace mullama::backend::llama
