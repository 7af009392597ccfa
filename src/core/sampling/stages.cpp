#include "core/sampling/stages.hpp"

#include <array>
#include <limits>

#include "core/constraint/gbnf_parser.hpp"
#include "core/constraint/trigger_words.hpp"

namespace mullama::core::sampling {

// Each is defined in the source file named after its stage.
std::unique_ptr<Stage> make_adaptive_p();
std::unique_ptr<Stage> make_dist();
std::unique_ptr<Stage> make_dry();
std::unique_ptr<Stage> make_grammar();
std::unique_ptr<Stage> make_greedy();
std::unique_ptr<Stage> make_infill();
std::unique_ptr<Stage> make_logit_bias();
std::unique_ptr<Stage> make_min_p();
std::unique_ptr<Stage> make_mirostat();
std::unique_ptr<Stage> make_mirostat_v2();
std::unique_ptr<Stage> make_penalties();
std::unique_ptr<Stage> make_tail_free();
std::unique_ptr<Stage> make_temperature();
std::unique_ptr<Stage> make_top_k();
std::unique_ptr<Stage> make_top_n_sigma();
std::unique_ptr<Stage> make_top_p();
std::unique_ptr<Stage> make_typical();
std::unique_ptr<Stage> make_xtc();

namespace {

constexpr double int_max = std::numeric_limits<std::int32_t>::max();

constexpr StageParameter min_keep = {
    .name = "min_keep",
    .description = "Keep at least this many tokens.",
    .type = MULLAMA_PARAMETER_INT,
    .default_value = 0,
    .min_value = 0,
    .max_value = int_max,
    .setting = "min_keep",
};

constexpr StageParameter seed = {
    .name = "seed",
    .description = "Where the random numbers start, as in llama.cpp: equal seeds give equal "
                   "tokens. -1 or 4294967295: somewhere else after each reset.",
    .type = MULLAMA_PARAMETER_INT,
    .default_value = -1,
    .min_value = -1,
    .max_value = std::numeric_limits<std::uint32_t>::max(),
    .setting = "seed",
};

constexpr std::array penalties_parameters = {
    StageParameter{
        .name = "last_n",
        .description = "How many of the last tokens count; 0 turns the stage off, -1 counts all.",
        .type = MULLAMA_PARAMETER_INT,
        .default_value = 64,
        .min_value = -1,
        .max_value = int_max,
        .setting = "repeat_last_n",
    },
    StageParameter{
        .name = "repeat",
        .description = "Divides the logits above 0 of tokens that occurred, and multiplies those "
                       "below; 1 does nothing.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 1,
        .min_value = 0.01,
        .max_value = 100,
        .setting = "repeat_penalty",
    },
    StageParameter{
        .name = "frequency",
        .description = "Taken off the logit of a token once for each time that it occurred.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0,
        .min_value = -100,
        .max_value = 100,
        .setting = "frequency_penalty",
    },
    StageParameter{
        .name = "presence",
        .description = "Taken off the logit of a token that occurred at all.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0,
        .min_value = -100,
        .max_value = 100,
        .setting = "presence_penalty",
    },
};

constexpr std::array logit_bias_parameters = {
    StageParameter{
        .name = "biases",
        .description = "Tokens, and what is added to the logit of each; -infinity rules one out.",
        .type = MULLAMA_PARAMETER_BIASES,
        .default_value = 0,
        .min_value = -std::numeric_limits<double>::infinity(),
        .max_value = 1e9,
        .setting = "logit_bias",
    },
};

constexpr std::array usual_root = {"root"};

constexpr std::array grammar_parameters = {
    StageParameter{
        .name = "grammar",
        .description = "The grammar, in GBNF; without one the stage does nothing.",
        .type = MULLAMA_PARAMETER_TEXT,
        .default_value = 0,
        .min_value = 0,
        .max_value = constraint::gbnf::max_text_size,
        .setting = "grammar",
    },
    StageParameter{
        .name = "root",
        .description = "The rule that stands for the whole text; root unless given.",
        .type = MULLAMA_PARAMETER_TEXT,
        .default_value = 0,
        .min_value = 1,
        .max_value = 1024,
        .setting = "grammar_root",
        .default_texts = usual_root,
    },
    StageParameter{
        .name = "trigger_words",
        .description = "Texts one of which has to be generated before the grammar applies, from "
                       "its first character on; without any it applies at once.",
        .type = MULLAMA_PARAMETER_TEXTS,
        .default_value = 0,
        .min_value = 1,
        .max_value = constraint::TriggerWords::max_bytes,
        .setting = "grammar_triggers",
    },
};

constexpr std::array usual_breakers = {"\n", ":", "\"", "*"};

constexpr std::array dry_parameters = {
    StageParameter{
        .name = "multiplier",
        .description = "How strongly repetitions are punished; 0 turns the stage off.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0,
        .min_value = 0,
        .max_value = 1000,
        .setting = "dry_multiplier",
    },
    StageParameter{
        .name = "base",
        .description = "How much more each further token costs: the penalty is multiplier * base ^ "
                       "(length - allowed_length).",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 1.75,
        .min_value = 1,
        .max_value = 1000,
        .setting = "dry_base",
    },
    StageParameter{
        .name = "allowed_length",
        .description = "The length from which on a repetition is punished.",
        .type = MULLAMA_PARAMETER_INT,
        .default_value = 2,
        .min_value = 0,
        .max_value = int_max,
        .setting = "dry_allowed_length",
    },
    StageParameter{
        .name = "last_n",
        .description = "How many of the last tokens are searched; 0 turns the stage off, -1 "
                       "searches all.",
        .type = MULLAMA_PARAMETER_INT,
        .default_value = 64,
        .min_value = -1,
        .max_value = int_max,
        .setting = "dry_penalty_last_n",
    },
    StageParameter{
        .name = "sequence_breakers",
        .description = "Texts that end a repetition; a newline, ':', '\"' and '*' unless given.",
        .type = MULLAMA_PARAMETER_TEXTS,
        .default_value = 0,
        .min_value = 1,
        .max_value = 40,
        .setting = "dry_sequence_breakers",
        .default_texts = usual_breakers,
    },
};

constexpr std::array top_k_parameters = {
    StageParameter{
        .name = "k",
        .description = "How many tokens to keep; 0 or -1: all of them.",
        .type = MULLAMA_PARAMETER_INT,
        .default_value = 40,
        .min_value = -1,
        .max_value = int_max,
        .setting = "top_k",
    },
};

constexpr std::array top_p_parameters = {
    StageParameter{
        .name = "p",
        .description = "The probability that the tokens kept reach together; 1 keeps all.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0.95,
        .min_value = 0,
        .max_value = 1,
        .setting = "top_p",
    },
    min_keep,
};

constexpr std::array min_p_parameters = {
    StageParameter{
        .name = "p",
        .description = "The least probability, as a share of the likeliest token's; 0 keeps all.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0.05,
        .min_value = 0,
        .max_value = 1,
        .setting = "min_p",
    },
    min_keep,
};

constexpr std::array temperature_parameters = {
    StageParameter{
        .name = "t",
        .description = "Divides the logits: below 1 the likely become likelier, above 1 less so; 0 "
                       "leaves only the likeliest token.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0.8,
        .min_value = 0,
        .max_value = 1000,
        .setting = "temperature",
    },
    StageParameter{
        .name = "range",
        .description = "How far the temperature may go up and down with the entropy; 0: "
                       "not at all.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0,
        .min_value = 0,
        .max_value = 1000,
        .setting = "dynatemp_range",
    },
    StageParameter{
        .name = "exponent",
        .description = "How the entropy becomes a temperature: its share of the greatest "
                       "possible, to this power.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 1,
        .min_value = 0,
        .max_value = 100,
        .setting = "dynatemp_exponent",
    },
};

constexpr std::array dist_parameters = {seed};

constexpr std::array typical_parameters = {
    StageParameter{
        .name = "p",
        .description = "The probability that the tokens kept reach together; 1 keeps all.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 1,
        .min_value = 0,
        .max_value = 1,
        .setting = "typical_p",
    },
    min_keep,
};

constexpr std::array tail_free_parameters = {
    StageParameter{
        .name = "z",
        .description = "The share of the curve's bending that is kept; 1 keeps all.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 1,
        .min_value = 0,
        .max_value = 1,
        .setting = "tfs_z",
    },
    min_keep,
};

constexpr std::array top_n_sigma_parameters = {
    StageParameter{
        .name = "n",
        .description = "How many standard deviations below the greatest logit a token may "
                       "lie; 0 keeps all.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0,
        .min_value = 0,
        .max_value = 1000,
        .setting = "top_n_sigma",
    },
};

constexpr std::array xtc_parameters = {
    StageParameter{
        .name = "probability",
        .description = "How often the stage does anything; 0: never.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0,
        .min_value = 0,
        .max_value = 1,
        .setting = "xtc_probability",
    },
    StageParameter{
        .name = "threshold",
        .description = "How likely a token must be to be taken away; above 0.5 the stage "
                       "does nothing.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0.1,
        .min_value = 0,
        .max_value = 1,
        .setting = "xtc_threshold",
    },
    min_keep,
    seed,
};

constexpr std::array mirostat_parameters = {
    StageParameter{
        .name = "tau",
        .description = "The surprise to aim at, in bits.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 5,
        .min_value = 0,
        .max_value = 100,
        .setting = "mirostat_tau",
    },
    StageParameter{
        .name = "eta",
        .description = "How fast the aim follows what was observed.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0.1,
        .min_value = 0,
        .max_value = 1,
        .setting = "mirostat_eta",
    },
    StageParameter{
        .name = "m",
        .description = "How many of the likeliest tokens tell how steep the distribution "
                       "is.",
        .type = MULLAMA_PARAMETER_INT,
        .default_value = 100,
        .min_value = 2,
        .max_value = int_max,
        .setting = "mirostat_m",
    },
    seed,
};

constexpr std::array mirostat_v2_parameters = {
    mirostat_parameters[0],
    mirostat_parameters[1],
    seed,
};

constexpr std::array adaptive_p_parameters = {
    StageParameter{
        .name = "target",
        .description = "How likely the tokens selected should be; below 0 the stage "
                       "selects as dist does.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = -1,
        .min_value = -1,
        .max_value = 1,
        .setting = "adaptive_target",
    },
    StageParameter{
        .name = "decay",
        .description = "How long it remembers what it selected: about 1 / (1 - decay) "
                       "tokens.",
        .type = MULLAMA_PARAMETER_FLOAT,
        .default_value = 0.9,
        .min_value = 0,
        .max_value = 0.99,
        .setting = "adaptive_decay",
    },
    seed,
};

constexpr std::array table = {
    StageKind{
        .name = "logit_bias",
        .description = "Adds to the logits of some tokens, or rules them out (OpenAI).",
        .parameters = logit_bias_parameters,
        .selects = false,
        .make = make_logit_bias,
    },
    StageKind{
        .name = "grammar",
        .description = "Keeps the tokens that continue a text of a grammar (GBNF; automata over "
                       "bytes with a graph-structured stack, Tomita 1986).",
        .parameters = grammar_parameters,
        .selects = false,
        .make = make_grammar,
        .needs_model = true,
    },
    StageKind{
        .name = "penalties",
        .description =
            "Makes tokens that occurred lately less likely: repetition penalty (Keskar et "
            "al. 2019, CTRL, arXiv:1909.05858, multiplying logits below 0 as llama.cpp "
            "does), frequency and presence penalty (OpenAI).",
        .parameters = penalties_parameters,
        .selects = false,
        .make = make_penalties,
    },
    StageKind{
        .name = "dry",
        .description = "Makes tokens less likely that would prolong a repetition, the more the "
                       "longer it is: don't repeat yourself (Weidmann 2024, "
                       "text-generation-webui, pull request 5677).",
        .parameters = dry_parameters,
        .selects = false,
        .make = make_dry,
        .needs_model = true,
    },
    StageKind{
        .name = "top_n_sigma",
        .description = "Keeps the tokens whose logit lies within some standard deviations of the "
                       "greatest (Tang et al. 2024, arXiv:2411.07641).",
        .parameters = top_n_sigma_parameters,
        .selects = false,
        .make = make_top_n_sigma,
    },
    StageKind{
        .name = "top_k",
        .description = "Keeps the k likeliest tokens (Fan et al. 2018, arXiv:1805.04833).",
        .parameters = top_k_parameters,
        .selects = false,
        .make = make_top_k,
    },
    StageKind{
        .name = "tail_free",
        .description = "Cuts off the tail, where the curve of the probabilities stops bending: "
                       "tail-free sampling (Phoenix and Egan 2019).",
        .parameters = tail_free_parameters,
        .selects = false,
        .make = make_tail_free,
    },
    StageKind{
        .name = "typical",
        .description = "Keeps the tokens whose surprise is nearest to the expected one: locally "
                       "typical sampling (Meister et al. 2022, arXiv:2202.00666).",
        .parameters = typical_parameters,
        .selects = false,
        .make = make_typical,
    },
    StageKind{
        .name = "top_p",
        .description =
            "Keeps the fewest likeliest tokens that reach a probability together: nucleus "
            "sampling (Holtzman et al. 2019, arXiv:1904.09751).",
        .parameters = top_p_parameters,
        .selects = false,
        .make = make_top_p,
    },
    StageKind{
        .name = "min_p",
        .description =
            "Keeps the tokens that are likely enough beside the likeliest one (Nguyen et "
            "al. 2024, arXiv:2407.01082).",
        .parameters = min_p_parameters,
        .selects = false,
        .make = make_min_p,
    },
    StageKind{
        .name = "xtc",
        .description = "Now and then takes away all of the likely tokens but the last: exclude top "
                       "choices (Weidmann 2024, text-generation-webui).",
        .parameters = xtc_parameters,
        .selects = false,
        .make = make_xtc,
    },
    StageKind{
        .name = "infill",
        .description = "For filling a gap in a text, after top_k and top_p: ends early, joins "
                       "tokens that begin alike, and keeps only likely ones (llama.cpp, pull "
                       "request 9896).",
        .parameters = {},
        .selects = false,
        .make = make_infill,
        .needs_model = true,
    },
    StageKind{
        .name = "temperature",
        .description = "Sharpens or flattens the distribution (Ackley et al. 1985, a learning "
                       "algorithm for Boltzmann machines); with a range, by how certain the model "
                       "is: dynamic temperature (Kalomaze 2023).",
        .parameters = temperature_parameters,
        .selects = false,
        .make = make_temperature,
    },
    StageKind{
        .name = "dist",
        .description = "Selects at random, each token with its probability: inverse transform "
                       "sampling with the Mersenne Twister (Matsumoto and Nishimura 1998).",
        .parameters = dist_parameters,
        .selects = true,
        .make = make_dist,
    },
    StageKind{
        .name = "greedy",
        .description =
            "Selects the likeliest token; of several the one with the least id, or what a "
            "stage before put first.",
        .parameters = {},
        .selects = true,
        .make = make_greedy,
    },
    StageKind{
        .name = "mirostat",
        .description = "Selects at random among as many of the likeliest tokens as keep the "
                       "surprise at a target: Mirostat (Basu et al. 2020, arXiv:2007.14966).",
        .parameters = mirostat_parameters,
        .selects = true,
        .make = make_mirostat,
    },
    StageKind{
        .name = "mirostat_v2",
        .description = "Selects at random among the tokens that surprise no more than a bound "
                       "which follows a target: Mirostat 2.0 (Basu et al. 2020, arXiv:2007.14966).",
        .parameters = mirostat_v2_parameters,
        .selects = true,
        .make = make_mirostat_v2,
    },
    StageKind{
        .name = "adaptive_p",
        .description = "Selects at random, preferring tokens about as likely as a target which "
                       "makes up for what was selected before (llama.cpp, pull request 17927).",
        .parameters = adaptive_p_parameters,
        .selects = true,
        .make = make_adaptive_p,
    },
};

constexpr std::array<std::string_view, 6> usual_stages = {"penalties", "top_k",       "top_p",
                                                          "min_p",     "temperature", "dist"};

} // namespace

std::span<const StageKind> stages() noexcept {
    return table;
}

const StageKind *find_stage(std::string_view name) noexcept {
    for (const StageKind &kind : table) {
        if (name == kind.name) {
            return &kind;
        }
    }
    return nullptr;
}

std::string stage_names() {
    std::string names;
    for (const StageKind &kind : table) {
        names += names.empty() ? "" : ", ";
        names += kind.name;
    }
    return names;
}

std::span<const std::string_view> default_chain() noexcept {
    return usual_stages;
}

} // namespace mullama::core::sampling
