#include "sweep/recipe.hpp"

#include <map>
#include <stdexcept>

namespace mullama::sweep {

namespace {

std::vector<std::pair<std::string, Deviation>> &struct_deviations() {
    static std::vector<std::pair<std::string, Deviation>> all;
    return all;
}

// What api.h says of all functions at once.
bool is_general(mullama_error_code_t code) {
    return code == MULLAMA_ERROR_INVALID_ARGUMENT || code == MULLAMA_ERROR_OUT_OF_RANGE ||
           code == MULLAMA_ERROR_UNSUPPORTED || code == MULLAMA_ERROR_FORKED;
}

} // namespace

const Function &function_at(void (*address)()) {
    for (const Function &function : contract()) {
        if (function.address == address)
            return function;
    }
    throw std::logic_error("a recipe for a function that no header declares");
}

void add_struct_deviation(std::string_view structure, Deviation deviation) {
    struct_deviations().emplace_back(structure, std::move(deviation));
}

const Deviation *find_struct_deviation(std::string_view structure, std::string_view field,
                                       std::string_view label) {
    for (const auto &[name, deviation] : struct_deviations()) {
        if (name == structure && deviation.where == field &&
            (deviation.label == label || deviation.label == "any")) {
            deviation.used = true;
            return &deviation;
        }
    }
    return nullptr;
}

std::vector<std::string> unused_struct_deviations() {
    std::vector<std::string> names;
    for (const auto &[structure, deviation] : struct_deviations()) {
        if (!deviation.used)
            names.push_back(structure + "." + deviation.where + " = " + deviation.label);
    }
    return names;
}

testing::AssertionResult refused_as(mullama_error_t *error, const Function &function,
                                    const Refusal &expected) {
    const mullama_error_code_t code = mullama_error_code(error);
    const std::string name = mullama_error_code_name(code);
    const std::string parameter = mullama_error_parameter(error, nullptr);
    const testing::AssertionResult result =
        test::refused(error, {expected.code, expected.parameter, expected.offset});
    if (!result)
        return result;
    if (expected.parameter.empty() && !parameter.empty())
        return testing::AssertionFailure() << name << " blames '" << parameter << "'";
    if (!function.documents(code) && !(expected.general && is_general(code)))
        return testing::AssertionFailure() << function.name << "'s comment does not name " << name;
    return testing::AssertionSuccess();
}

void from_callback(World &world, mullama_context_t *context, mullama_sampler_t *sampler,
                   const std::function<void()> &call) {
    if (context == nullptr)
        context = world.context_of_its_own();
    mullama_generate_options_t options = test::generate_options();
    options.user_data = const_cast<std::function<void()> *>(&call);
    options.on_token = [](const mullama_token_event_t *, void *user_data) {
        (*static_cast<const std::function<void()> *>(user_data))();
        return false;
    };
    mullama_error_free(mullama_context_clear(context));
    EXPECT_OK(mullama_context_generate_tokens(context, sampler, world.tokens(), world.n_tokens(),
                                              &options, nullptr, nullptr));
}

const AnyRecipe *Recipes::find(std::string_view name) const {
    for (const auto &recipe : all_) {
        if (recipe->function().name == name)
            return recipe.get();
    }
    return nullptr;
}

const Recipes &recipes() {
    static const Recipes all = [] {
        Recipes made;
        add_struct_deviations();
        add_object_recipes(made);
        add_model_recipes(made);
        add_context_recipes(made);
        add_sampler_recipes(made);
        add_candidates_recipes(made);
        add_embedding_recipes(made);
        add_adapter_recipes(made);
        add_state_recipes(made);
        add_engine_recipes(made);
        return made;
    }();
    return all;
}

} // namespace mullama::sweep
