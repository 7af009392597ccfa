// Asking a `mullama` program to load a model in a process of its own, so that a file on which the
// engine would abort takes only that process along.
//
// The program is run as
//
//     PROGRAM probe [--SETTING=VALUE]... -- PATH...
//
// with all parts of the model as PATHs, and at most these settings, those at their defaults left
// out; numbers are decimal, enums are their numbers:
//
//     --backend=NAME           --n-gpu-layers=N    --split-mode=N    --main-gpu=N
//     --tensor-split=F,F,...   --device=NAME       (once for each)   --cpu-only (no device)
//     --load-mode=N            --vocab-only        --check-tensors   --no-repack
//     --override=KEY=TYPE:VALUE  (once for each)
//
// It loads the model through the contract with these options, makes a small context and decodes one
// token where the model has a decoder, and then
//
//     exits with 0 after writing "ok\n" to its standard output, or
//     exits with 3 after writing "CODE\nPARAMETER\nMESSAGE": the error's code as a number, the name
//     of the parameter at fault or nothing, and the message up to the end of the output.
//
// Whatever else happens counts as a crash.
#pragma once

#include "backend/port.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {

inline constexpr int probe_refused_exit_code = 3;

// The arguments of the program, without its own name.
[[nodiscard]] std::vector<std::string> probe_arguments(const std::vector<std::string> &paths,
                                                       std::string_view backend,
                                                       const backend::ModelParams &params);

// Returns when the program could load the model. Throws what the program was refused with,
// MULLAMA_ERROR_CRASHED when it died, and what the system says when it can't be started.
void probe_model(const std::string &program, const std::vector<std::string> &paths,
                 std::string_view backend, const backend::ModelParams &params);

} // namespace mullama::core
