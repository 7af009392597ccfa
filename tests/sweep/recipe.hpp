// How one function of the contract is called: a recipe makes arguments that are accepted, and the
// sweep replaces each in turn by every bad value of its type.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sweep/bad_values.hpp"
#include "sweep/world.hpp"

namespace mullama::sweep {

// An enum travels as a number, since C++ knows no enum outside of its values.
template <class T>
using Slot = std::conditional_t<std::is_enum_v<T>, int, T>;

template <class F>
struct SignatureOf;
template <class R, class... A>
struct SignatureOf<R (*)(A...)> {
    using Result = R;
    using Types = std::tuple<A...>;
    using Slots = std::tuple<Slot<A>...>;
};

// Calls with the slots' values. (Nothing is read as an enum, so that a sanitizer has nothing to
// say.)
template <class F, class Slots>
auto invoke(F function, const Slots &slots) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        using Types = typename SignatureOf<F>::Types;
        return function(static_cast<std::tuple_element_t<I, Types>>(std::get<I>(slots))...);
    }(std::make_index_sequence<std::tuple_size_v<Slots>>());
}

// Where a function departs from what holds for all: a value that it accepts, or another error.
struct Deviation {
    std::string where;
    std::string label;
    std::optional<Refusal> refusal;
    std::string reason;
    mutable bool used = false;
};

// The description of a function.
const Function &function_at(void (*address)());

// What is the same for every use of a struct.
void add_struct_deviation(std::string_view structure, Deviation deviation);
const Deviation *find_struct_deviation(std::string_view structure, std::string_view field,
                                       std::string_view label);

// Those that the sweeps so far had no use for.
std::vector<std::string> unused_struct_deviations();

// Whether the error is the one expected, of a kind that the function's comment names, and has a
// message. Takes the error.
testing::AssertionResult refused_as(mullama_error_t *error, const Function &function,
                                    const Refusal &expected);

// A callback on this context, or with this sampler, calls `call`; nullptr: another one.
void from_callback(World &world, mullama_context_t *context, mullama_sampler_t *sampler,
                   const std::function<void()> &call);

class AnyRecipe {
public:
    explicit AnyRecipe(const Function &function) : function_(function) {}
    AnyRecipe(const AnyRecipe &) = delete;
    AnyRecipe &operator=(const AnyRecipe &) = delete;
    virtual ~AnyRecipe() = default;

    [[nodiscard]] const Function &function() const { return function_; }
    [[nodiscard]] bool needs_llama() const { return needs_llama_; }

    // Accepted arguments; each refused; each state in which the call is refused.
    virtual void sweep(World &world) const = 0;
    // From inside a callback of an object that the call uses.
    virtual void call_while_busy(World &world) const = 0;
    // Makes the arguments and hands the call to `child`, which forks. False, with nothing done,
    // where the function takes no object that a fork makes useless.
    virtual bool call_in_child(
        World &world,
        const std::function<void(const std::function<mullama_error_t *()> &)> &child) const = 0;

protected:
    const Function &function_;
    bool needs_llama_ = false;
    bool works_while_busy_ = false;
    std::vector<Deviation> deviations_;
};

// A recipe for F; the *_recipes.cpp show how they read.
template <auto F>
class Recipe final : public AnyRecipe {
public:
    using Signature = SignatureOf<decltype(F)>;
    using Types = typename Signature::Types;
    using Slots = typename Signature::Slots;
    using Result = typename Signature::Result;
    using Fallback = std::conditional_t<std::is_void_v<Result>, int, Result>;
    static constexpr std::size_t arity = std::tuple_size_v<Slots>;

    // Arguments, converted to what the function takes.
    struct With {
        template <class... Values>
        Slots operator()(Values &&...values) const {
            return Slots(std::forward<Values>(values)...);
        }
    };

    template <class Make>
    explicit Recipe(Make make)
        : AnyRecipe(function_at(reinterpret_cast<void (*)()>(F))),
          make_([make](World &world) { return make(world, With()); }) {}

    // This value is accepted.
    Recipe &accepts(std::string_view where, std::string_view label, std::string_view reason) {
        deviations_.push_back(
            {std::string(where), std::string(label), std::nullopt, std::string(reason)});
        return *this;
    }
    // This value brings another error than its type says.
    Recipe &refuses(std::string_view where, std::string_view label, Refusal refusal,
                    std::string_view reason) {
        deviations_.push_back(
            {std::string(where), std::string(label), std::move(refusal), std::string(reason)});
        return *this;
    }
    // What a call brings in a state, or with arguments, that no table of types knows.
    template <class Make>
    Recipe &when(std::string_view what, Refusal refusal, Make make) {
        cases_.push_back({std::string(what), [make](World &world) { return make(world, With()); },
                          std::move(refusal)});
        return *this;
    }
    // The same, of an engine that reads files.
    template <class Make>
    Recipe &when_llama(std::string_view what, Refusal refusal, Make make) {
        when(what, std::move(refusal), std::move(make));
        cases_.back().needs_llama = true;
        return *this;
    }
    // What a function without errors answers to bad arguments, where that isn't "", NULL, 0 or
    // false.
    Recipe &answers(Fallback fallback) {
        fallback_ = fallback;
        return *this;
    }
    // There is nothing yet that the function accepts: the recipe's arguments bring this.
    Recipe &never_succeeds(Refusal refusal, std::string_view /*reason*/) {
        never_ = std::move(refusal);
        return *this;
    }
    Recipe &only_llama(std::string_view /*reason*/) {
        needs_llama_ = true;
        return *this;
    }
    Recipe &works_while_busy(std::string_view /*reason*/) {
        works_while_busy_ = true;
        return *this;
    }

    void sweep(World &world) const override {
        try_valid(world);
        if (testing::Test::HasFatalFailure())
            return;
        std::vector<Bad<Slots>> bad;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (add_bad<I>(world, bad), ...);
        }(std::make_index_sequence<arity>());
        for (const Bad<Slots> &one : bad)
            try_bad(world, one);
        for (const Case &one : cases_) {
            if (one.needs_llama && !world.is_llama())
                continue;
            SCOPED_TRACE(one.what);
            world.begin();
            Slots slots = one.make(world);
            expect_refusal(world, slots, one.refusal);
            try_valid(world);
        }
        for (const Deviation &deviation : deviations_) {
            EXPECT_TRUE(deviation.used)
                << deviation.where << " = " << deviation.label << " is declared ("
                << deviation.reason << "), and the sweep has no such value";
        }
    }

    void call_while_busy(World &world) const override {
        if constexpr (std::is_same_v<Result, mullama_error_t *>) {
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                (try_busy<I>(world), ...);
            }(std::make_index_sequence<arity>());
        }
    }

    bool call_in_child(World &world,
                       const std::function<void(const std::function<mullama_error_t *()> &)> &child)
        const override {
        if constexpr (std::is_same_v<Result, mullama_error_t *>) {
            if (!takes_process_object())
                return false;
            world.begin();
            const Slots slots = make_(world);
            child([&] { return invoke(F, slots); });
            return true;
        } else {
            return false;
        }
    }

private:
    struct Case {
        std::string what;
        std::function<Slots(World &)> make;
        Refusal refusal;
        bool needs_llama = false;
    };

    template <std::size_t I>
    using TypeAt = std::tuple_element_t<I, Types>;

    static bool takes_process_object() {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return ((std::is_same_v<TypeAt<I>, mullama_context_t *> ||
                     std::is_same_v<TypeAt<I>, mullama_model_t *> ||
                     std::is_same_v<TypeAt<I>, const mullama_model_t *> ||
                     std::is_same_v<TypeAt<I>, mullama_runtime_t *> ||
                     std::is_same_v<TypeAt<I>, const mullama_adapter_t *> ||
                     std::is_same_v<TypeAt<I>, mullama_detokenizer_t *> ||
                     std::is_same_v<TypeAt<I>, mullama_engine_t *> ||
                     std::is_same_v<TypeAt<I>, mullama_stream_t *> ||
                     std::is_same_v<TypeAt<I>, const mullama_queue_t *>) ||
                    ...);
        }(std::make_index_sequence<arity>());
    }

    [[nodiscard]] const Value &parameter(std::size_t index) const {
        return function_.parameters.at(index);
    }

    // Gives back what a call that succeeded handed over.
    template <std::size_t I>
    void give_back(const Slots &slots) const {
        using T = TypeAt<I>;
        if constexpr (std::is_pointer_v<T>) {
            using Target = std::remove_pointer_t<T>;
            if constexpr (!std::is_const_v<Target> &&
                          requires(Target target) { release(target); }) {
                if (!parameter(I).owned || std::get<I>(slots) == nullptr)
                    return;
                Target object = *std::get<I>(slots);
                Target pattern = nullptr;
                std::memset(&pattern, output_pattern, sizeof pattern);
                EXPECT_NE(object, pattern) << parameter(I).name << " was not written";
                if (object != pattern)
                    release(object);
            }
        }
    }
    void give_back(const Slots &slots) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (give_back<I>(slots), ...);
        }(std::make_index_sequence<arity>());
    }

    void expect_success(const Slots &slots) const {
        if constexpr (std::is_same_v<Result, mullama_error_t *>) {
            ASSERT_OK(invoke(F, slots));
            give_back(slots);
        } else if constexpr (requires(Result object) { release(object); }) {
            release(invoke(F, slots));
        } else {
            static_cast<void>(invoke(F, slots));
        }
    }

    void try_valid(World &world) const {
        world.begin();
        const Slots slots = make_(world);
        if (never_)
            expect_refusal(world, slots, *never_);
        else
            expect_success(slots);
    }

    void expect_refusal(World &world, const Slots &slots, const Refusal &refusal) const {
        world.note_outputs();
        if constexpr (std::is_same_v<Result, mullama_error_t *>) {
            mullama_error_t *const error = invoke(F, slots);
            if (error == nullptr)
                give_back(slots);
            EXPECT_TRUE(refused_as(error, function_, refusal));
            EXPECT_TRUE(world.outputs_untouched()) << "an output was touched";
        } else if constexpr (std::is_void_v<Result>) {
            invoke(F, slots);
            EXPECT_TRUE(world.outputs_untouched()) << "an output was touched";
        } else {
            expect_fallback(slots);
        }
    }

    // What a function without errors answers to NULL, and to what does not exist.
    void expect_fallback(const Slots &slots) const {
        if constexpr (std::is_same_v<Result, const char *>) {
            EXPECT_EQ(as_text(invoke(F, slots)), fallback_ ? as_text(*fallback_) : as_text(""));
            expect_empty(slots);
        } else {
            EXPECT_EQ(invoke(F, slots), fallback_.value_or(Result{}));
            if constexpr (std::is_pointer_v<Result>)
                expect_empty(slots);
        }
    }

    // Where there is nothing to point at, its size is 0.
    void expect_empty(const Slots &slots) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (expect_empty<I>(slots), ...);
        }(std::make_index_sequence<arity>());
    }
    template <std::size_t I>
    void expect_empty(const Slots &slots) const {
        if constexpr (std::is_same_v<TypeAt<I>, std::size_t *>) {
            if (std::get<I>(slots) != nullptr) {
                EXPECT_EQ(*std::get<I>(slots), 0U) << parameter(I).name;
            }
        }
    }

    // A text of its own for NULL, which differs from "".
    static std::string_view as_text(const char *text) {
        return text == nullptr ? std::string_view("(NULL)") : std::string_view(text);
    }

    void try_bad(World &world, const Bad<Slots> &bad) const {
        SCOPED_TRACE(bad.where + " = " + bad.label);
        world.begin();
        Slots slots = make_(world);
        bad.apply(slots);
        if (bad.refusal)
            expect_refusal(world, slots, *bad.refusal);
        else
            expect_success(slots);
        if (!bad.refusal && bad.look)
            bad.look(slots);
        try_valid(world);
    }

    [[nodiscard]] const Deviation *find_deviation(std::string_view where,
                                                  std::string_view label) const {
        for (const Deviation &deviation : deviations_) {
            if (deviation.where == where && (deviation.label == label || deviation.label == "any"))
                return &deviation;
        }
        return nullptr;
    }

    void add(std::vector<Bad<Slots>> &to, Bad<Slots> bad) const {
        if (const Deviation *const deviation = find_deviation(bad.where, bad.label)) {
            deviation->used = true;
            bad.refusal = deviation->refusal;
        }
        to.push_back(std::move(bad));
    }

    template <std::size_t I>
    void try_busy(World &world) const {
        using T = TypeAt<I>;
        if constexpr (std::is_same_v<T, mullama_context_t *> ||
                      std::is_same_v<T, mullama_sampler_t *>) {
            SCOPED_TRACE(std::string(parameter(I).name) + " is busy");
            world.begin();
            Slots slots = make_(world);
            mullama_context_t *context = nullptr;
            mullama_sampler_t *sampler = nullptr;
            if constexpr (std::is_same_v<T, mullama_context_t *>) {
                // Whichever context it is: being busy comes before all that tells them apart.
                context = works_while_busy_ ? world.context_of_its_own() : world.context();
                std::get<I>(slots) = context;
            } else {
                sampler = std::get<I>(slots);
            }
            bool called = false;
            from_callback(world, context, sampler, [&] {
                called = true;
                world.note_outputs();
                mullama_error_t *const error = invoke(F, slots);
                if (works_while_busy_) {
                    EXPECT_OK(error);
                    return;
                }
                const Refusal busy{MULLAMA_ERROR_BUSY, std::string(parameter(I).name)};
                EXPECT_TRUE(refused_as(error, function_, busy));
                EXPECT_TRUE(world.outputs_untouched()) << "an output was touched";
            });
            EXPECT_TRUE(called);
            try_valid(world);
        }
    }

    template <std::size_t I>
    void add_bad(World &world, std::vector<Bad<Slots>> &bad) const {
        using T = TypeAt<I>;
        const Value &value = parameter(I);
        const std::string name(value.name);
        if constexpr (std::is_enum_v<T>) {
            for (const auto &[label, number] : bad_enumerators<T>()) {
                add(bad, {name, label, [number](Slots &slots) { std::get<I>(slots) = number; },
                          Refusal{MULLAMA_ERROR_INVALID_ARGUMENT, name}});
            }
        } else if constexpr (is_number<T>) {
            if (const Value *const array = function_.counted_by(value.name)) {
                // What there is none of cannot be counted either.
                add(bad, {name, "max",
                          [](Slots &slots) { std::get<I>(slots) = std::numeric_limits<T>::max(); },
                          Refusal{MULLAMA_ERROR_OUT_OF_RANGE, std::string(array->name),
                                  std::nullopt, true}});
                return;
            }
            for (const auto &[label, number] : bad_numbers<T>()) {
                add(bad, {name, label, [number](Slots &slots) { std::get<I>(slots) = number; },
                          Refusal{MULLAMA_ERROR_OUT_OF_RANGE, name}});
            }
        } else if constexpr (std::is_pointer_v<T> && !std::is_same_v<T, void *>) {
            add_null<I>(bad);
            if constexpr (!is_callback<T>) {
                if constexpr (SizedStruct<std::remove_pointer_t<T>>)
                    add_struct<I>(bad);
                else if (!value.count.empty())
                    add_elements<I>(world, bad);
            }
        } else {
            static_assert(std::is_same_v<T, bool> || std::is_same_v<T, void *>,
                          "every value of these is fine; of another type, say which are bad");
        }
    }

    template <std::size_t I>
    void add_null(std::vector<Bad<Slots>> &bad) const {
        const Value &value = parameter(I);
        const std::string name(value.name);
        std::optional<Refusal> refusal;
        const bool optional =
            value.nullable &&
            (function_.can_fail() || value.direction != Direction::in || std::is_void_v<Result>);
        if (!optional)
            refusal = Refusal{MULLAMA_ERROR_INVALID_ARGUMENT, name, std::nullopt, true};
        add(bad, {name, "NULL", [](Slots &slots) { std::get<I>(slots) = nullptr; }, refusal});
    }

    // A struct's size, what a newer caller may ask for, and its fields.
    template <std::size_t I>
    void add_struct(std::vector<Bad<Slots>> &bad) const {
        using Struct = std::remove_cv_t<std::remove_pointer_t<TypeAt<I>>>;
        constexpr bool input = std::is_const_v<std::remove_pointer_t<TypeAt<I>>>;
        const std::string name(parameter(I).name);
        const auto change = [](Slots &slots, const auto &function) {
            // A copy in memory of its own, so that a sanitizer sees each byte past its end.
            Struct *const copy = shared_copy(*std::get<I>(slots));
            function(*copy);
            std::get<I>(slots) = copy;
        };
        const auto size = [&](std::string label, std::size_t number) {
            add(bad, {name + "->struct_size", std::move(label),
                      [=](Slots &slots) {
                          if constexpr (input)
                              change(slots, [=](Struct &it) { it.struct_size = number; });
                          else
                              std::get<I>(slots)->struct_size = number;
                      },
                      Refusal{MULLAMA_ERROR_INVALID_ARGUMENT, name + "->struct_size", std::nullopt,
                              true}});
        };
        // An older caller's struct ends behind its first field.
        constexpr std::size_t older = 2 * sizeof(std::size_t);
        if constexpr (input) {
            add(bad, {name, "older",
                      [](Slots &slots) {
                          auto *const bytes = shared_bytes(older);
                          std::memcpy(bytes, std::get<I>(slots), older);
                          auto *const it = reinterpret_cast<Struct *>(bytes);
                          it->struct_size = older;
                          std::get<I>(slots) = it;
                      },
                      std::nullopt});
        } else {
            add(bad, {name, "older", [](Slots &slots) { std::get<I>(slots)->struct_size = older; },
                      std::nullopt,
                      [](const Slots &slots) {
                          const auto *const bytes =
                              reinterpret_cast<const unsigned char *>(std::get<I>(slots));
                          EXPECT_TRUE(std::all_of(
                              bytes + older, bytes + sizeof(Struct),
                              [](unsigned char byte) { return byte == output_pattern; }))
                              << "written past struct_size";
                      }});
        }
        size("0", 0);
        size("too small", sizeof(std::size_t));
        size("too large", std::size_t{1} << 20U);
        size("max", std::numeric_limits<std::size_t>::max());
        if constexpr (input) {
            add(bad, {name, "newer",
                      [](Slots &slots) {
                          auto *const newer = shared_bytes(sizeof(Struct) + sizeof(std::size_t));
                          std::memcpy(newer, std::get<I>(slots), sizeof(Struct));
                          newer[sizeof(Struct)] = std::byte{1};
                          auto *const it = reinterpret_cast<Struct *>(newer);
                          it->struct_size = sizeof(Struct) + sizeof(std::size_t);
                          std::get<I>(slots) = it;
                      },
                      Refusal{MULLAMA_ERROR_UNSUPPORTED, name,
                              static_cast<std::int64_t>(sizeof(Struct)), true}});
            for (const Bad<Struct> &field : bad_fields<Struct>()) {
                Bad<Slots> one{name + "->" + field.where, field.label,
                               [=](Slots &slots) { change(slots, field.apply); }, field.refusal};
                if (const Deviation *const deviation =
                        find_struct_deviation(Fields<Struct>::name, field.where, field.label))
                    one.refusal = deviation->refusal;
                add(bad, std::move(one));
            }
        }
    }

    // Text that is none, and arrays whose last element is bad.
    template <std::size_t I>
    void add_elements(World &world, std::vector<Bad<Slots>> &bad) const {
        using Element = std::remove_cv_t<std::remove_pointer_t<TypeAt<I>>>;
        const Value &value = parameter(I);
        const std::string name(value.name);
        world.begin();
        const std::size_t count = count_of(make_(world), value.count);
        ASSERT_NE(count, 0U) << "a recipe gives " << name << " something to count";
        if constexpr (std::is_same_v<Element, char>) {
            const auto text = [&](std::string label, std::string_view bytes, Refusal refusal) {
                add(bad, {name, std::move(label),
                          [this, bytes, counter = value.count](Slots &slots) {
                              std::get<I>(slots) = bytes.data();
                              set_count_of(slots, counter, bytes.size());
                          },
                          std::move(refusal)});
            };
            const bool is_path = name == "path";
            if (value.utf8)
                text("not UTF-8", not_utf8, {MULLAMA_ERROR_INVALID_UTF8, name, not_utf8_offset});
            if (is_path) {
                text("empty", "", {MULLAMA_ERROR_INVALID_ARGUMENT, name});
                text("NUL inside", std::string_view("a\0b", 3),
                     {MULLAMA_ERROR_INVALID_ARGUMENT, name, 1});
                text("no such file", "no/such/file", {MULLAMA_ERROR_NOT_FOUND, name});
            } else if (!value.utf8 &&
                       (function_.documents(MULLAMA_ERROR_NOT_FOUND) || !function_.can_fail())) {
                text("empty", "", {MULLAMA_ERROR_NOT_FOUND, name});
                text("unknown", "no such name", {MULLAMA_ERROR_NOT_FOUND, name});
                text("not UTF-8", not_utf8, {MULLAMA_ERROR_NOT_FOUND, name});
            }
        } else if constexpr (is_number<Element>) {
            for (const auto &[label, number] : bad_numbers<Element>())
                add_element<I>(
                    bad, "[" + label + "]", number,
                    {MULLAMA_ERROR_OUT_OF_RANGE, name, static_cast<std::int64_t>(count - 1)});
        } else if constexpr (std::is_same_v<Element, const char *>) {
            const std::string last = name + "[" + std::to_string(count - 1) + "]";
            add_element<I>(bad, "[NULL]", static_cast<const char *>(nullptr),
                           {MULLAMA_ERROR_INVALID_ARGUMENT, last});
            add_element<I>(bad, "[not UTF-8]", not_utf8.data(),
                           {MULLAMA_ERROR_INVALID_UTF8, last, not_utf8_offset});
        } else if constexpr (std::is_pointer_v<Element>) {
            add_element<I>(
                bad, "[NULL]", static_cast<Element>(nullptr),
                {MULLAMA_ERROR_INVALID_ARGUMENT, name, static_cast<std::int64_t>(count - 1)});
        }
    }

    // The array with its last element replaced.
    template <std::size_t I, class Element>
    void add_element(std::vector<Bad<Slots>> &bad, std::string label, Element element,
                     Refusal refusal) const {
        add(bad, {std::string(parameter(I).name), std::move(label),
                  [this, element](Slots &slots) {
                      const std::size_t count = count_of(slots, parameter(I).count);
                      auto *const copy =
                          reinterpret_cast<Element *>(shared_bytes(count * sizeof(Element)));
                      std::memcpy(static_cast<void *>(copy), std::get<I>(slots),
                                  count * sizeof(Element));
                      copy[count - 1] = element;
                      std::get<I>(slots) = copy;
                  },
                  std::move(refusal)});
    }

    [[nodiscard]] std::size_t count_of(const Slots &slots, std::string_view name) const {
        std::size_t count = 0;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            ((count = read_count<I>(slots, name, count)), ...);
        }(std::make_index_sequence<arity>());
        return count;
    }
    template <std::size_t I>
    [[nodiscard]] std::size_t read_count(const Slots &slots, std::string_view name,
                                         std::size_t otherwise) const {
        if constexpr (std::is_same_v<TypeAt<I>, std::size_t>) {
            if (parameter(I).name == name)
                return std::get<I>(slots);
        }
        return otherwise;
    }
    void set_count_of(Slots &slots, std::string_view name, std::size_t count) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (write_count<I>(slots, name, count), ...);
        }(std::make_index_sequence<arity>());
    }
    template <std::size_t I>
    void write_count(Slots &slots, std::string_view name, std::size_t count) const {
        if constexpr (std::is_same_v<TypeAt<I>, std::size_t>) {
            if (parameter(I).name == name)
                std::get<I>(slots) = count;
        }
    }

    // Memory for one changed argument, until the next one is changed.
    static std::byte *shared_bytes(std::size_t size) {
        static thread_local std::unique_ptr<std::byte[]> memory;
        memory = std::make_unique<std::byte[]>(size);
        return memory.get();
    }
    template <class T>
    static T *shared_copy(const T &value) {
        auto *const bytes = shared_bytes(sizeof value);
        std::memcpy(bytes, &value, sizeof value);
        return reinterpret_cast<T *>(bytes);
    }

    std::function<Slots(World &)> make_;
    std::vector<Case> cases_;
    std::optional<Refusal> never_;
    std::optional<Fallback> fallback_;
};

// All recipes, in the order of the headers' functions where they are asked for.
class Recipes {
public:
    template <auto F, class Make>
    Recipe<F> &add(Make make) {
        auto recipe = std::make_unique<Recipe<F>>(std::move(make));
        Recipe<F> &added = *recipe;
        all_.push_back(std::move(recipe));
        return added;
    }
    [[nodiscard]] const std::vector<std::unique_ptr<AnyRecipe>> &all() const { return all_; }
    [[nodiscard]] const AnyRecipe *find(std::string_view name) const;

private:
    std::vector<std::unique_ptr<AnyRecipe>> all_;
};

// Those of every header.
const Recipes &recipes();

// One for each file of recipes.
void add_struct_deviations();
void add_object_recipes(Recipes &all);
void add_model_recipes(Recipes &all);
void add_context_recipes(Recipes &all);
void add_sampler_recipes(Recipes &all);
void add_candidates_recipes(Recipes &all);
void add_embedding_recipes(Recipes &all);
void add_adapter_recipes(Recipes &all);
void add_state_recipes(Recipes &all);
void add_engine_recipes(Recipes &all);

} // namespace mullama::sweep
