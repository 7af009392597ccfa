#include "backend/llama/devices.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "backend/llama/process.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

// The kinds of device that llama.cpp can be built for here.
struct Kind {
    // As llama.cpp registers it, and as people call it.
    std::string_view registered;
    const char *name;
    const char *preset;
    const char *needs;
};

constexpr std::array kinds{
    Kind{"CUDA", "CUDA", "cuda", "an NVIDIA card and NVIDIA's driver"},
    Kind{"MTL", "Metal", "metal", "macOS on Apple silicon, or on a Mac with a Metal graphics card"},
    Kind{"ROCm", "ROCm", "hip", "an AMD card and the amdgpu driver with ROCm"},
    Kind{"Vulkan", "Vulkan", "vulkan", "a graphics card with a Vulkan driver"},
    Kind{"OpenCL", "OpenCL", "opencl", "a graphics card with an OpenCL driver"},
};

std::string kind_of(ggml_backend_reg_t registered) {
    const std::string_view name = ggml_backend_reg_name(registered);
    const auto known = std::ranges::find(kinds, name, &Kind::registered);
    return std::string(known == kinds.end() ? name : std::string_view(known->name));
}

const char *text_or_empty(const char *text) noexcept {
    return text == nullptr ? "" : text;
}

bool keeps_layers(ggml_backend_dev_t device) {
    const auto type = ggml_backend_dev_type(device);
    return type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU;
}

mullama_device_type_t type_of(ggml_backend_dev_t device) {
    switch (ggml_backend_dev_type(device)) {
    case GGML_BACKEND_DEVICE_TYPE_GPU:
        return MULLAMA_DEVICE_GPU;
    case GGML_BACKEND_DEVICE_TYPE_IGPU:
        return MULLAMA_DEVICE_INTEGRATED_GPU;
    case GGML_BACKEND_DEVICE_TYPE_ACCEL:
        return MULLAMA_DEVICE_ACCELERATOR;
    default:
        return MULLAMA_DEVICE_CPU;
    }
}

// The instruction sets that the kernels were compiled for, or that they found.
std::string cpu_features(ggml_backend_reg_t registered) {
    const auto features_of = reinterpret_cast<ggml_backend_get_features_t>(
        ggml_backend_reg_get_proc_address(registered, "ggml_backend_get_features"));
    if (features_of == nullptr) {
        return {};
    }
    std::string features;
    for (const ggml_backend_feature *feature = features_of(registered); feature->name != nullptr;
         ++feature) {
        if (std::strcmp(feature->value, "0") == 0) {
            continue;
        }
        features.append(features.empty() ? "" : " ").append(feature->name);
        if (std::strcmp(feature->value, "1") != 0) {
            features.append("=").append(feature->value);
        }
    }
    return features;
}

Device describe(ggml_backend_dev_t handle) {
    ggml_backend_dev_props props{};
    ggml_backend_dev_get_props(handle, &props);
    ggml_backend_reg_t registered = ggml_backend_dev_backend_reg(handle);
    Device device;
    device.type = type_of(handle);
    device.available = true;
    device.name = text_or_empty(props.name);
    device.description = text_or_empty(props.description);
    device.backend = kind_of(registered);
    device.memory_total = props.memory_total;
    device.memory_free = props.memory_free;
    if (device.type == MULLAMA_DEVICE_CPU) {
        device.features = cpu_features(registered);
    }
    return device;
}

bool same_hardware(ggml_backend_dev_t one, ggml_backend_dev_t other) {
    ggml_backend_dev_props props_one{};
    ggml_backend_dev_props props_other{};
    ggml_backend_dev_get_props(one, &props_one);
    ggml_backend_dev_get_props(other, &props_other);
    return props_one.device_id != nullptr && props_other.device_id != nullptr &&
           std::strcmp(props_one.device_id, props_other.device_id) == 0;
}

std::vector<ggml_backend_dev_t> all_devices() {
    start();
    std::vector<ggml_backend_dev_t> all;
    all.reserve(ggml_backend_dev_count());
    for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        all.push_back(ggml_backend_dev_get(i));
    }
    return all;
}

// llama.cpp's own choice: a card that two of its back ends see counts once, and integrated graphics
// only where there is no card.
std::vector<ggml_backend_dev_t> default_devices() {
    std::vector<ggml_backend_dev_t> cards;
    std::vector<ggml_backend_dev_t> integrated;
    for (ggml_backend_dev_t device : all_devices()) {
        const auto is_it = [device](ggml_backend_dev_t other) {
            return same_hardware(device, other);
        };
        if (ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_GPU) {
            if (std::ranges::none_of(cards, is_it)) {
                cards.push_back(device);
            }
        } else if (ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_IGPU) {
            if (integrated.empty() || ggml_backend_dev_backend_reg(device) ==
                                          ggml_backend_dev_backend_reg(integrated.back())) {
                integrated.push_back(device);
            }
        }
    }
    return cards.empty() ? integrated : cards;
}

Device missing(const Kind &kind) {
    Device device;
    device.type = MULLAMA_DEVICE_GPU;
    device.name = kind.name;
    device.backend = kind.name;
    device.description = std::string(kind.name) + " devices";
#ifndef __APPLE__
    if (std::string_view(kind.name) == "Metal") {
        device.reason = "Metal exists on Apple's systems only";
        return device;
    }
#endif
    if (ggml_backend_reg_by_name(kind.registered.data()) == nullptr) {
        device.reason = "this build has no " + std::string(kind.name) +
                        " support: build with the preset '" + kind.preset + "'";
    } else {
        device.reason = "this build supports " + std::string(kind.name) +
                        ", but found no device; it needs " + kind.needs;
    }
    return device;
}

} // namespace

std::vector<Device> list_devices() {
    std::vector<Device> devices;
    // Those that keep layers by default come first.
    for (const bool gpu : {true, false}) {
        for (ggml_backend_dev_t handle : all_devices()) {
            if (keeps_layers(handle) == gpu) {
                devices.push_back(describe(handle));
            }
        }
    }
    for (const Kind &kind : kinds) {
        const bool present = std::ranges::any_of(devices, [&](const Device &device) {
            return device.available && device.backend == kind.name;
        });
        if (!present) {
            devices.push_back(missing(kind));
        }
    }
    return devices;
}

std::vector<ggml_backend_dev_t>
choose_devices(const std::optional<std::vector<std::string>> &names) {
    if (!names) {
        return default_devices();
    }
    const auto all = all_devices();
    std::vector<ggml_backend_dev_t> chosen;
    for (auto its = names->begin(); its != names->end(); ++its) {
        const std::string &name = *its;
        const auto found = std::ranges::find_if(
            all, [&](ggml_backend_dev_t device) { return name == ggml_backend_dev_name(device); });
        if (found == all.end()) {
            std::string known;
            for (ggml_backend_dev_t device : all) {
                known.append(known.empty() ? "" : ", ").append(ggml_backend_dev_name(device));
            }
            throw Error(MULLAMA_ERROR_NOT_FOUND, "there is no device '" + name + "' here")
                .parameter("devices")
                .expected(known)
                .actual(name);
        }
        if (std::find(names->begin(), its, name) != its) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the device '" + name + "' is named twice")
                .parameter("devices")
                .actual(name);
        }
        if (keeps_layers(*found)) {
            chosen.push_back(*found);
        }
    }
    return chosen;
}

} // namespace mullama::backend::llama
