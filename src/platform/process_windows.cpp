#include "platform/process.hpp"

#include "base/utf8.hpp"
#include "platform/handle.hpp"
#include "platform/path.hpp"
#include "platform/system_error.hpp"
#include "platform/system_windows.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace mullama::platform {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

[[noreturn]] void fail(std::string_view what) {
    throw system_error(last_error(), what);
}

// One argument so that the C library of the child reads back exactly it: in quotes, with the
// backslashes before a quote doubled.
std::wstring quote(std::wstring_view argument) {
    std::wstring quoted = L"\"";
    std::size_t backslashes = 0;
    for (const wchar_t c : argument) {
        if (c == L'"')
            quoted.append(backslashes + 1, L'\\');
        backslashes = c == L'\\' ? backslashes + 1 : 0;
        quoted += c;
    }
    quoted.append(backslashes, L'\\');
    return quoted + L'"';
}

struct Pipe {
    Handle read;
    Handle write;
};

// The write end can be inherited, the read end can't.
Pipe make_pipe(std::string_view what) {
    SECURITY_ATTRIBUTES inherit{sizeof inherit, nullptr, TRUE};
    HANDLE read = nullptr;
    HANDLE write = nullptr;
    if (::CreatePipe(&read, &write, &inherit, 0) == 0)
        fail(what);
    Pipe pipe{Handle(read), Handle(write)};
    if (::SetHandleInformation(read, HANDLE_FLAG_INHERIT, 0) == 0)
        fail(what);
    return pipe;
}

Handle open_nothing(std::string_view what) {
    SECURITY_ATTRIBUTES inherit{sizeof inherit, nullptr, TRUE};
    Handle nothing(::CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                                 OPEN_EXISTING, 0, nullptr));
    if (!nothing)
        fail(what);
    return nothing;
}

// Which handles the child inherits: these, whatever else the host has marked.
class InheritedHandles {
public:
    InheritedHandles(const std::array<HANDLE, 3> &handles, std::string_view what)
        : handles_(handles) {
        SIZE_T size = 0;
        ::InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
        memory_.resize(size);
        if (::InitializeProcThreadAttributeList(list(), 1, 0, &size) == 0)
            fail(what);
        if (::UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                        handles_.data(), sizeof handles_, nullptr, nullptr) == 0) {
            const int code = last_error();
            ::DeleteProcThreadAttributeList(list());
            throw system_error(code, what);
        }
    }
    InheritedHandles(const InheritedHandles &) = delete;
    InheritedHandles &operator=(const InheritedHandles &) = delete;
    ~InheritedHandles() { ::DeleteProcThreadAttributeList(list()); }

    [[nodiscard]] LPPROC_THREAD_ATTRIBUTE_LIST list() noexcept {
        return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    }

private:
    std::array<HANDLE, 3> handles_; // the list refers to it
    std::vector<unsigned char> memory_;
};

// A child that never outlives its owner.
class Child {
public:
    Child(const ProcessOptions &options, const Handle &input, const Handle &output,
          const Handle &errors, std::string_view what) {
        const NativePath program = native_path(options.program);
        std::wstring command_line = quote(to_wide(options.program));
        for (const std::string &argument : options.arguments)
            command_line += L' ' + quote(to_wide(argument));

        InheritedHandles inherited({input.get(), output.get(), errors.get()}, what);
        STARTUPINFOEXW start{};
        start.StartupInfo.cb = sizeof start;
        start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        start.StartupInfo.hStdInput = input.get();
        start.StartupInfo.hStdOutput = output.get();
        start.StartupInfo.hStdError = errors.get();
        start.lpAttributeList = inherited.list();
        PROCESS_INFORMATION made{};
        if (::CreateProcessW(program.c_str(), command_line.data(), nullptr, nullptr, TRUE,
                             CREATE_NO_WINDOW | EXTENDED_STARTUPINFO_PRESENT, nullptr, nullptr,
                             &start.StartupInfo, &made) == 0) {
            fail(what);
        }
        process_ = Handle(made.hProcess);
        const Handle thread(made.hThread);
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    ~Child() {
        kill();
        ::WaitForSingleObject(process_.get(), INFINITE);
    }

    // Waits for the end, but no longer than `pause`.
    bool has_ended(milliseconds pause) noexcept {
        return ::WaitForSingleObject(process_.get(), static_cast<DWORD>(pause.count())) ==
               WAIT_OBJECT_0;
    }

    // Does nothing to one that has ended.
    void kill() noexcept { ::TerminateProcess(process_.get(), 1); }

    [[nodiscard]] DWORD exit_code() const noexcept {
        DWORD code = 0;
        ::GetExitCodeProcess(process_.get(), &code);
        return code;
    }

private:
    Handle process_;
};

// Takes what is there; returns whether there was anything.
bool drain(const Handle &pipe, std::string &text, std::size_t max_output) {
    std::array<char, 16384> buffer;
    bool any = false;
    // As much as a pipe may hold, however fast more comes.
    for (int rounds = 64; rounds > 0; --rounds) {
        DWORD waiting = 0;
        if (::PeekNamedPipe(pipe.get(), nullptr, 0, nullptr, &waiting, nullptr) == 0 ||
            waiting == 0) {
            break;
        }
        DWORD got = 0;
        const DWORD wanted = std::min(waiting, static_cast<DWORD>(buffer.size()));
        if (::ReadFile(pipe.get(), buffer.data(), wanted, &got, nullptr) == 0 || got == 0)
            break;
        const std::size_t room = max_output - std::min(max_output, text.size());
        text.append(buffer.data(), std::min<std::size_t>(room, got));
        any = true;
    }
    return any;
}

} // namespace

ProcessResult run_process(const ProcessOptions &options) {
    const std::string what = "run " + quoted(options.program);
    for (const std::string &argument : options.arguments) {
        base::require_utf8(argument, "arguments");
        if (argument.find('\0') != std::string::npos) {
            throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT, "an argument for " +
                                                                  quoted(options.program) +
                                                                  " has a NUL character in it")
                .parameter("arguments");
        }
    }

    const Handle input = open_nothing(what);
    Pipe output = make_pipe(what);
    Pipe errors = make_pipe(what);
    Child child(options, input, output.write, errors.write, what);
    output.write = Handle();
    errors.write = Handle();

    ProcessResult result;
    const auto deadline =
        options.time_limit ? Clock::now() + *options.time_limit : Clock::time_point::max();
    bool timed_out = false;
    // Pipes of this kind can't be waited for: look again and again, less often when nothing comes.
    milliseconds pause(1);
    while (true) {
        // Asked first, and read after: what the child wrote before its end is then in the pipes.
        const bool ended = child.has_ended(pause);
        const bool more_output = drain(output.read, result.output, options.max_output);
        const bool more_errors = drain(errors.read, result.errors, options.max_output);
        if (ended)
            break;
        pause =
            more_output || more_errors ? milliseconds(1) : std::min(pause * 2, milliseconds(16));
        if (!timed_out && Clock::now() >= deadline) {
            timed_out = true;
            child.kill();
        }
    }
    // The system ends a process with the code of the exception that it did not handle.
    const DWORD code = child.exit_code();
    constexpr DWORD exception = 0xC0000000;
    result.end = timed_out           ? ProcessResult::End::timed_out
                 : code >= exception ? ProcessResult::End::crashed
                                     : ProcessResult::End::exited;
    result.code = static_cast<int>(code);
    return result;
}

std::string crash_name(int code) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "exception 0x%08X", static_cast<unsigned>(code));
    switch (static_cast<DWORD>(code)) {
    case EXCEPTION_ACCESS_VIOLATION:
        return std::string(text.data()) + " (access violation)";
    case EXCEPTION_ILLEGAL_INSTRUCTION:
        return std::string(text.data()) + " (illegal instruction)";
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
        return std::string(text.data()) + " (division by zero)";
    case EXCEPTION_STACK_OVERFLOW:
        return std::string(text.data()) + " (stack overflow)";
    case 0xC0000409: // STATUS_STACK_BUFFER_OVERRUN, which abort() uses too
        return std::string(text.data()) + " (abort)";
    default:
        return text.data();
    }
}

} // namespace mullama::platform
