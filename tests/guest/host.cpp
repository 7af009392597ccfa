// A host program that watches itself while it uses the library. Each check is one run:
//
//     host CHECK LIBRARY MODEL
//
// It loads the library at run time, so that it can look around before the library is there. Nothing
// is printed: guest_test.cpp reads both streams and wants them empty. What it finds wrong goes to
// descriptor 3; the exit status is 0 when all is well.
#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "mullama/mullama.h"

extern char **environ;

namespace {

int failures = 0;

void fail(const std::string &what) {
    const std::string line = what + "\n";
    (void)!write(3, line.data(), line.size());
    ++failures;
}

template <class T>
void expect_equal(const T &before, const T &after, const std::string &what) {
    if (!(before == after)) {
        fail(what + " changed");
    }
}

// The library, through the addresses of its functions.
class Library {
public:
    explicit Library(const char *path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
        if (handle_ == nullptr) {
            fail(std::string("dlopen: ") + dlerror());
            _exit(1);
        }
    }

    template <class Function>
    Function *get(const char *name) {
        void *address = dlsym(handle_, name);
        if (address == nullptr) {
            fail(std::string("no symbol ") + name);
            _exit(1);
        }
        return reinterpret_cast<Function *>(address);
    }

private:
    void *handle_;
};

#define MULLAMA_CALL(library, name) (library).get<decltype(name)>(#name)

// A model and a context with a number of threads.
class Session {
public:
    Session(Library &library, const char *model_path, int threads)
        : library_(library), model_free_(MULLAMA_CALL(library, mullama_model_free)),
          context_free_(MULLAMA_CALL(library, mullama_context_free)) {
        succeed(MULLAMA_CALL(library, mullama_model_load)(model_path, strlen(model_path), nullptr,
                                                          &model_),
                "load");
        mullama_context_options_t options;
        MULLAMA_CALL(library, mullama_context_options_init)(&options, sizeof options);
        options.n_ctx = 256;
        options.n_threads = threads;
        options.n_threads_batch = threads;
        succeed(MULLAMA_CALL(library, mullama_context_new)(model_, &options, &context_), "context");
    }
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;
    ~Session() {
        context_free_(context_);
        model_free_(model_);
    }

    mullama_error_t *try_generate() {
        mullama_generate_options_t options;
        MULLAMA_CALL(library_, mullama_generate_options_init)(&options, sizeof options);
        options.max_tokens = 8;
        return MULLAMA_CALL(library_, mullama_context_generate)(context_, nullptr, "Once upon", 9,
                                                                &options, nullptr, nullptr);
    }
    void generate() { succeed(try_generate(), "generate"); }

private:
    void succeed(mullama_error_t *error, const char *what) {
        if (error != nullptr) {
            fail(std::string(what) + ": " +
                 MULLAMA_CALL(library_, mullama_error_message)(error, nullptr));
            _exit(1);
        }
    }

    Library &library_;
    decltype(&mullama_model_free) model_free_;
    decltype(&mullama_context_free) context_free_;
    mullama_model_t *model_ = nullptr;
    mullama_context_t *context_ = nullptr;
};

// Everything a guest does in a day: work, and a failure the engine has words about.
void work(Library &library, const char *model, int threads) {
    {
        Session session(library, model, threads);
        session.generate();
    }
    mullama_model_t *none = nullptr;
    mullama_error_t *error =
        MULLAMA_CALL(library, mullama_model_load)("/dev/null", 9, nullptr, &none);
    if (error == nullptr) {
        fail("/dev/null loaded as a model");
    }
    MULLAMA_CALL(library, mullama_error_free)(error);
    size_t devices = 0;
    MULLAMA_CALL(library, mullama_error_free)(
        MULLAMA_CALL(library, mullama_runtime_device_count)(nullptr, &devices));
}

std::set<std::string> entries(const char *directory) {
    std::set<std::string> result;
    DIR *dir = opendir(directory);
    const std::string own = std::to_string(dirfd(dir));
    while (const dirent *entry = readdir(dir)) {
        if (entry->d_name != own) {
            result.insert(entry->d_name);
        }
    }
    closedir(dir);
    return result;
}

// The members of a set, since the rest of its bytes mean nothing.
std::vector<bool> members(const sigset_t &set) {
    std::vector<bool> result;
    for (int signal = 1; signal < NSIG; ++signal) {
        result.push_back(sigismember(&set, signal) == 1);
    }
    return result;
}

struct SignalAction {
    void (*handler)(int) = nullptr;
    int flags = 0;
    std::vector<bool> mask;

    bool operator==(const SignalAction &) const = default;
};

std::map<int, SignalAction> signal_actions() {
    std::map<int, SignalAction> result;
    for (int signal = 1; signal < NSIG; ++signal) {
        // Between the classic ones and SIGRTMIN lie those that glibc keeps for its threads.
        struct sigaction action;
        if ((signal < 32 || signal >= SIGRTMIN) && sigaction(signal, nullptr, &action) == 0) {
            result[signal] = {action.sa_handler, action.sa_flags, members(action.sa_mask)};
        }
    }
    return result;
}

std::vector<bool> signal_mask() {
    sigset_t mask;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    return members(mask);
}

std::vector<std::string> environment() {
    std::vector<std::string> result;
    for (char **entry = environ; *entry != nullptr; ++entry) {
        result.emplace_back(*entry);
    }
    return result;
}

std::string working_directory() {
    char buffer[4096];
    return getcwd(buffer, sizeof buffer) == nullptr ? std::string() : std::string(buffer);
}

// The whole of the floating-point environment that a guest could leave changed, and the masks.
std::vector<int> process_modes() {
    const mode_t mask = umask(0);
    umask(mask);
    return {fegetround(), fetestexcept(0), static_cast<int>(mask)};
}

void ignore_signal(int) {
}

[[noreturn]] void own_terminate() {
    _exit(97);
}

// Streams, signals, terminate handler, locale, environment, directory, modes: all as they were.
void check_surroundings(const char *path, const char *model) {
    signal(SIGUSR1, ignore_signal);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGABRT, ignore_signal);
    std::set_terminate(own_terminate);
    setenv("MULLAMA_GUEST_TEST", "1", 1);
    if (setlocale(LC_ALL, "C.UTF-8") == nullptr) {
        fail("no C.UTF-8 locale on this system");
    }
    const auto actions = signal_actions();
    const auto mask = signal_mask();
    const std::string locale = setlocale(LC_ALL, nullptr);
    const auto variables = environment();
    const auto directory = working_directory();
    const auto modes = process_modes();

    Library library(path);
    expect_equal(std::terminate_handler(own_terminate), std::get_terminate(),
                 "the terminate handler, by loading the library,");
    work(library, model, 2);

    for (const auto &[signal, action] : signal_actions()) {
        expect_equal(actions.at(signal), action, "the action for signal " + std::to_string(signal));
    }
    expect_equal(mask, signal_mask(), "the signal mask");
    expect_equal(std::terminate_handler(own_terminate), std::get_terminate(),
                 "the terminate handler");
    expect_equal(locale, std::string(setlocale(LC_ALL, nullptr)), "the locale");
    expect_equal(variables, environment(), "the environment");
    expect_equal(directory, working_directory(), "the working directory");
    expect_equal(modes, process_modes(), "a process mode");
    if (waitpid(-1, nullptr, WNOHANG) != -1) {
        fail("there is a child process that nobody asked for");
    }
}

// Threads: none by loading the library, none with one compute thread, n - 1 more at most with n,
// and none left afterwards.
void check_threads(const char *path, const char *model) {
    const size_t before = entries("/proc/self/task").size();
    Library library(path);
    expect_equal(before, entries("/proc/self/task").size(), "the thread count, by loading,");
    {
        Session session(library, model, 1);
        session.generate();
        expect_equal(before, entries("/proc/self/task").size(),
                     "the thread count, by computing on one thread,");
    }
    {
        Session session(library, model, 2);
        session.generate();
        const size_t during = entries("/proc/self/task").size();
        if (during > before + 1) {
            fail("two compute threads made " + std::to_string(during - before) + " more threads");
        }
    }
    expect_equal(before, entries("/proc/self/task").size(),
                 "the thread count, after all is freed,");
}

// Descriptors: none left open, no sockets at any time.
void check_descriptors(const char *path, const char *model) {
    Library library(path);
    work(library, model, 2);
    const auto before = entries("/proc/self/fd");
    {
        Session session(library, model, 2);
        session.generate();
        for (const std::string &name : entries("/proc/self/fd")) {
            struct stat status;
            if (!before.contains(name) && fstat(atoi(name.c_str()), &status) == 0 &&
                S_ISSOCK(status.st_mode)) {
                fail("descriptor " + name + " is a socket");
            }
        }
    }
    expect_equal(before, entries("/proc/self/fd"), "the list of open descriptors");
}

// After fork a call on an object of the parent fails clearly; the parent goes on.
void check_fork(const char *path, const char *model) {
    Library library(path);
    Session session(library, model, 2);
    session.generate();
    const pid_t child = fork();
    if (child == 0) {
        mullama_error_t *error = session.try_generate();
        _exit(MULLAMA_CALL(library, mullama_error_code)(error) == MULLAMA_ERROR_FORKED ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail("the child's call did not fail with MULLAMA_ERROR_FORKED");
    }
    session.generate();
}

// A child may start afresh: load a model of its own and generate with it.
void check_fork_afresh(const char *path, const char *model) {
    Library library(path);
    work(library, model, 1);
    const pid_t child = fork();
    if (child == 0) {
        {
            Session session(library, model, 2);
            session.generate();
        }
        _exit(failures == 0 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail("the child could not load a model of its own");
    }
}

// The floating-point environment of a host that rounds upwards stays, and the call still works.
void check_rounding(const char *path, const char *model) {
    Library library(path);
    fesetround(FE_UPWARD);
    work(library, model, 1);
    expect_equal(int{FE_UPWARD}, fegetround(), "the rounding mode");
}

// A host's locale with a decimal comma breaks nothing. Where none is installed there is nothing to
// try.
void check_comma_locale(const char *path, const char *model) {
    for (const char *name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"}) {
        if (setlocale(LC_ALL, name) != nullptr) {
            Library library(path);
            work(library, model, 1);
            expect_equal(std::string(name), std::string(setlocale(LC_ALL, nullptr)), "the locale");
            return;
        }
    }
}

} // namespace

int main(int argc, char **argv) {
    const std::map<std::string, std::function<void(const char *, const char *)>> checks = {
        {"surroundings", check_surroundings}, {"threads", check_threads},
        {"descriptors", check_descriptors},   {"fork", check_fork},
        {"fork_afresh", check_fork_afresh},   {"rounding", check_rounding},
        {"comma_locale", check_comma_locale}};
    if (argc != 4 || !checks.contains(argv[1])) {
        return 2;
    }
    checks.at(argv[1])(argv[2], argv[3]);
    return failures == 0 ? 0 : 1;
}
