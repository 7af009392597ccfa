#include "cli/progress.hpp"

#include <algorithm>
#include <cmath>

#include "cli/interrupt.hpp"

namespace mullama::cli {
namespace {

// What is over sooner than this shows nothing; then this is the time between two drawings.
constexpr std::chrono::milliseconds patience{200};
constexpr std::chrono::milliseconds interval{50};
constexpr std::string_view erase_line = "\r\x1b[K";

} // namespace

Progress::Progress(Terminal &terminal, std::string_view label)
    : terminal_(terminal), label_(label), next_(Clock::now() + patience) {
}

Progress::~Progress() {
    if (drawn_) {
        terminal_.try_write(erase_line);
    }
}

bool Progress::update(float progress) {
    if (Interrupt::requested()) {
        return false;
    }
    if (!terminal_.is_terminal() || Clock::now() < next_) {
        return true;
    }
    next_ = Clock::now() + interval;
    drawn_ = true;

    const int percent = static_cast<int>(std::lround(std::clamp(progress, 0.0F, 1.0F) * 100));
    const int room = terminal_.width() - static_cast<int>(label_.size()) - 10;
    const int length = std::clamp(room, 0, 40);
    const int filled = length * percent / 100;
    std::string line(erase_line);
    line += label_;
    line += percent < 10 ? "   " : percent < 100 ? "  " : " ";
    line += std::to_string(percent) + "% ";
    for (int i = 0; i < length; ++i) {
        if (terminal_.unicode()) {
            line += i < filled ? "█" : "░";
        } else {
            line += i < filled ? '#' : '.';
        }
    }
    terminal_.write(line);
    terminal_.flush();
    return true;
}

} // namespace mullama::cli
