#include "compare.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <vector>

namespace bench {

namespace {

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double time_ns(const std::function<void(std::size_t)> &work, std::size_t round, Clock clock) {
    const std::int64_t start = clock();
    work(round);
    return static_cast<double>(clock() - start);
}

} // namespace

std::int64_t now_ns() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::int64_t thread_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Comparison compare(std::size_t rounds, const std::function<void(std::size_t)> &base,
                   const std::function<void(std::size_t)> &ours, double each, Clock clock) {
    std::vector<double> base_times;
    std::vector<double> our_times;
    std::vector<double> differences;
    const std::size_t warm_up = rounds / 10 + 1;
    for (std::size_t round = 0; round < warm_up + rounds; ++round) {
        double base_time = 0;
        double our_time = 0;
        if (round % 2 == 0) {
            base_time = time_ns(base, round, clock);
            our_time = time_ns(ours, round, clock);
        } else {
            our_time = time_ns(ours, round, clock);
            base_time = time_ns(base, round, clock);
        }
        if (round >= warm_up) {
            base_times.push_back(base_time / each);
            our_times.push_back(our_time / each);
            differences.push_back((our_time - base_time) / each);
        }
    }
    return {median(base_times), median(our_times), median(differences)};
}

double measure(std::size_t rounds, const std::function<void(std::size_t)> &work, double each,
               Clock clock) {
    std::vector<double> times;
    const std::size_t warm_up = rounds / 10 + 1;
    for (std::size_t round = 0; round < warm_up + rounds; ++round) {
        const double time = time_ns(work, round, clock);
        if (round >= warm_up) {
            times.push_back(time / each);
        }
    }
    return median(times);
}

void print(const std::string &what, const Comparison &comparison, const std::string &target) {
    std::printf("%-44s %12.0f %12.0f %+10.0f %+8.2f %%   %s\n", what.c_str(), comparison.base_ns,
                comparison.ours_ns, comparison.extra_ns,
                100.0 * comparison.extra_ns / comparison.base_ns, target.c_str());
}

void print(const std::string &what, double ns, const std::string &target) {
    std::printf("%-44s %12s %12.0f %10s %8s     %s\n", what.c_str(), "", ns, "", "",
                target.c_str());
}

} // namespace bench
