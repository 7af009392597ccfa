#include "capi/candidates.hpp"
#include "capi/context.hpp"
#include "capi/options.hpp"

#include <memory>
#include <string>
#include <utility>

namespace {

using namespace mullama::capi;
using mullama::base::Error;
namespace sampling = mullama::core::sampling;

// The row that a custom stage has no place for in the table.
struct CustomKind {
    explicit CustomKind(const mullama_custom_stage_t &callbacks)
        : name(callbacks.name == nullptr ? "custom" : callbacks.name),
          row{.name = name.c_str(),
              .description = "A stage of the program's own.",
              .parameters = {},
              .selects = callbacks.selects,
              .make = nullptr} {}

    std::string name;
    sampling::StageKind row;
};

// The caller's functions. Owns user_data where there is a release.
class CustomStage final : public sampling::Stage {
public:
    CustomStage(std::shared_ptr<const CustomKind> kind, const mullama_custom_stage_t &callbacks)
        : kind_(std::move(kind)), callbacks_(callbacks) {}
    CustomStage(const CustomStage &) = delete;
    ~CustomStage() override {
        if (callbacks_.release != nullptr)
            callbacks_.release(callbacks_.user_data);
    }

    void apply(sampling::Candidates &candidates) override {
        mullama_candidates shown(candidates);
        if (!callbacks_.apply(&shown, callbacks_.user_data))
            throw cancelled("stopped the sampling");
        shown.check_edited();
    }
    void accept(sampling::Token token) override {
        if (callbacks_.accept != nullptr)
            callbacks_.accept(token, callbacks_.user_data);
    }
    void accept_prompt(sampling::Token token) override {
        if (callbacks_.accept_prompt != nullptr)
            callbacks_.accept_prompt(token, callbacks_.user_data);
    }
    void reset() override {
        if (callbacks_.reset != nullptr)
            callbacks_.reset(callbacks_.user_data);
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        mullama_custom_stage_t copy = callbacks_;
        if (callbacks_.clone == nullptr && callbacks_.release != nullptr) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED, "the custom stage \"" + kind_->name +
                                                       "\" cannot be copied: it has a release "
                                                       "and no clone")
                .parameter("sampler");
        }
        // The callback comes last: what it makes is owned from then on.
        auto result = std::make_unique<CustomStage>(kind_, mullama_custom_stage_t{});
        if (callbacks_.clone != nullptr && !callbacks_.clone(callbacks_.user_data, &copy.user_data))
            throw cancelled("could not be copied");
        result->callbacks_ = copy;
        return result;
    }

private:
    [[nodiscard]] Error cancelled(const char *what) const {
        return Error(MULLAMA_ERROR_CANCELLED, "the custom stage \"" + kind_->name + "\" " + what)
            .parameter("sampler");
    }

    std::shared_ptr<const CustomKind> kind_;
    mullama_custom_stage_t callbacks_;
};

mullama_custom_stage_t default_stage() noexcept {
    mullama_custom_stage_t stage{};
    stage.name = "custom";
    return stage;
}

} // namespace

void mullama_custom_stage_init(mullama_custom_stage_t *stage, size_t struct_size) {
    init_struct(stage, struct_size, default_stage());
}

mullama_error_t *mullama_sampler_insert_custom(mullama_sampler_t *sampler, size_t index,
                                               const mullama_custom_stage_t *stage) {
    return guarded([&] {
        require(stage, "stage");
        const mullama_custom_stage_t callbacks =
            read_options(stage, default_stage(), "stage", "mullama_custom_stage_init");
        // Gives user_data back whatever happens from here on.
        struct Release {
            void operator()(const mullama_custom_stage_t *owner) const {
                if (owner->release != nullptr)
                    owner->release(owner->user_data);
            }
        };
        std::unique_ptr<const mullama_custom_stage_t, Release> owner(&callbacks);
        const UsedSampler used(sampler);
        if (callbacks.name != nullptr)
            static_cast<void>(c_text(callbacks.name, "name"));
        if (callbacks.apply == nullptr) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "a custom stage without apply does nothing")
                .parameter("apply")
                .expected("a function")
                .actual("NULL");
        }
        auto kind = std::make_shared<const CustomKind>(callbacks);
        auto custom = std::make_unique<CustomStage>(kind, callbacks);
        static_cast<void>(owner.release());
        used->insert(index, std::shared_ptr<const sampling::StageKind>(kind, &kind->row),
                     std::move(custom));
    });
}
