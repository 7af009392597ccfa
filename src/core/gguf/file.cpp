#include "core/gguf/file.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "core/gguf/reader.hpp"

namespace mullama::core::gguf {

using base::Error;

namespace {

constexpr std::uint32_t newest_version = 3;
constexpr std::uint64_t max_key_size = 65535;      // the GGUF specification's
constexpr std::uint64_t max_tensor_name_size = 63; // ggml's: GGML_MAX_NAME with its terminator
constexpr std::uint64_t max_array_elements = std::uint64_t{1} << 30; // ggml's
constexpr std::uint32_t max_dims = 4;                                // ggml's
constexpr std::uint32_t min_alignment = 8;                           // the specification's
constexpr std::uint32_t max_alignment = 1U << 24;                    // above any page size
constexpr std::uint32_t mapping_alignment = 32;                      // ggml's: TENSOR_ALIGNMENT

// The least that one metadata entry (a key of one byte, a value of one byte) and one tensor info (a
// name of one byte, no dimensions) take in the file.
constexpr std::uint64_t min_entry_size = 8 + 1 + 4 + 1;
constexpr std::uint64_t min_tensor_size = 8 + 1 + 4 + 4 + 8;

[[nodiscard]] Error bad_file(std::string_view message, std::uint64_t offset) {
    return Error(MULLAMA_ERROR_BAD_FILE, message).offset(static_cast<std::int64_t>(offset));
}

// Names go into messages, tables and other languages' strings: text without surprises.
[[nodiscard]] bool is_printable_name(std::string_view name) {
    return base::find_invalid_utf8(name) == std::string_view::npos &&
           std::ranges::none_of(
               name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// The positions of `items` ordered by their names; throws through `fail` on two with one name.
template <class Item, class Fail>
[[nodiscard]] std::vector<std::uint32_t> index_by(const std::vector<Item> &items,
                                                  std::string Item::*name, Fail fail) {
    std::vector<std::uint32_t> order(items.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto by_name = [&](std::uint32_t at) -> const std::string & { return items[at].*name; };
    std::ranges::sort(order, {}, by_name);
    const auto twice = std::ranges::adjacent_find(order, {}, by_name);
    if (twice != order.end()) {
        fail(items[*twice].*name);
    }
    return order;
}

template <class Item>
[[nodiscard]] const Item *find_by(const std::vector<Item> &items, std::string Item::*name,
                                  const std::vector<std::uint32_t> &order,
                                  std::string_view wanted) noexcept {
    const auto found = std::ranges::lower_bound(
        order, wanted, {}, [&](std::uint32_t at) -> std::string_view { return items[at].*name; });
    return found != order.end() && items[*found].*name == wanted ? &items[*found] : nullptr;
}

} // namespace

std::uint64_t TensorInfo::elements() const noexcept {
    std::uint64_t product = 1;
    for (const std::int64_t n : ne) {
        product *= static_cast<std::uint64_t>(n);
    }
    return product;
}

std::string TensorInfo::shape() const {
    std::string text = "[";
    for (std::uint32_t i = 0; i < n_dims; ++i) {
        text += i == 0 ? "" : ", ";
        text += std::to_string(ne[i]);
    }
    return text + "]";
}

bool File::mappable() const noexcept {
    if (alignment_ % mapping_alignment == 0) {
        return true;
    }
    return std::ranges::all_of(tensors_, [this](const TensorInfo &tensor) {
        return (data_offset_ + tensor.offset) % mapping_alignment == 0;
    });
}

const Value *File::find(std::string_view key) const noexcept {
    const Entry *entry = find_by(metadata_, &Entry::key, metadata_by_key_, key);
    return entry == nullptr ? nullptr : &entry->value;
}

const TensorInfo *File::find_tensor(std::string_view name) const noexcept {
    return find_by(tensors_, &TensorInfo::name, tensors_by_name_, name);
}

// One walk over the file, front to back.
class FileParser {
public:
    explicit FileParser(const Source &source) : reader_(source) { file_.size_ = reader_.size(); }

    [[nodiscard]] File run() && {
        read_header();
        read_metadata();
        read_alignment();
        read_tensors();
        place_tensors();
        return std::move(file_);
    }

private:
    void read_header();
    void read_metadata();
    [[nodiscard]] std::string read_key(std::uint64_t index);
    [[nodiscard]] Value read_value(const std::string &key);
    [[nodiscard]] Value read_strings(bool is_array, std::uint64_t count, const std::string &what);
    void read_alignment();
    void read_tensors();
    [[nodiscard]] std::string read_tensor_name(std::uint64_t index);
    void read_shape(TensorInfo &tensor);
    void read_type(TensorInfo &tensor);
    void place_tensors();

    Reader reader_;
    File file_;
    std::uint64_t n_entries_ = 0;
    std::uint64_t n_tensors_ = 0;
};

void FileParser::read_header() {
    constexpr std::uint32_t magic = 0x46554747; // "GGUF"
    constexpr std::uint32_t header_size = 24;
    if (reader_.size() < header_size) {
        throw bad_file("this is not a GGUF file: it is too short to have a header", 0)
            .expected("at least " + std::to_string(header_size) + " bytes")
            .actual(std::to_string(reader_.size()) + " bytes");
    }
    const std::uint32_t found = reader_.u32("the magic number");
    if (found != magic) {
        std::string shown;
        for (int shift = 0; shift < 32; shift += 8) {
            const char c = static_cast<char>(found >> shift & 0xff);
            shown += c >= 0x20 && c < 0x7f ? c : '?';
        }
        throw bad_file("this is not a GGUF file: it does not start with \"GGUF\"", 0)
            .expected("GGUF")
            .actual(shown);
    }
    const std::uint64_t version_at = reader_.position();
    const std::uint32_t version = reader_.u32("the version");
    // Versions are small numbers: one whose low half is empty was written the other way around.
    if (version != 0 && (version & 0xffff) == 0) {
        throw bad_file("this GGUF file is big-endian, which this machine cannot use; convert it "
                       "with llama.cpp's gguf_convert_endian.py",
                       version_at)
            .expected("a little-endian file");
    }
    if (version < 2 || version > newest_version) {
        throw bad_file(version == 1 ? "this GGUF file is of version 1, which llama.cpp no longer "
                                      "reads; convert the model again"
                                    : "this GGUF file is of a version that llama.cpp cannot read",
                       version_at)
            .expected("2 or 3")
            .actual(version);
    }
    file_.version_ = version;
    n_tensors_ = reader_.u64("the number of tensors");
    n_entries_ = reader_.u64("the number of metadata entries");
    reader_.require(n_entries_, min_entry_size, "its metadata");
    reader_.require(n_tensors_, min_tensor_size, "its tensor infos");
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    if (n_entries_ > most || n_tensors_ > most) {
        throw bad_file("the GGUF file is corrupt: impossible numbers in its header", version_at)
            .expected("at most " + std::to_string(most) + " metadata entries and tensors")
            .actual(std::max(n_entries_, n_tensors_));
    }
}

std::string FileParser::read_key(std::uint64_t index) {
    const std::uint64_t start = reader_.position();
    std::string key;
    reader_.append_string(key, "the key of metadata entry " + std::to_string(index));
    if (key.empty() || key.size() > max_key_size || !is_printable_name(key)) {
        throw bad_file("the GGUF file is corrupt: metadata entry " + std::to_string(index) +
                           " has an impossible key",
                       start)
            .expected("1 to " + std::to_string(max_key_size) + " bytes of UTF-8 text")
            .actual(key.size() > max_key_size ? std::to_string(key.size()) + " bytes"
                                              : base::replace_invalid_utf8(key));
    }
    return key;
}

void FileParser::read_metadata() {
    for (std::uint64_t i = 0; i < n_entries_; ++i) {
        std::string key = read_key(i);
        reader_.set_subject(key);
        Value value = read_value(key);
        reader_.set_subject({});
        file_.metadata_.push_back({std::move(key), std::move(value)});
    }
    file_.metadata_by_key_ = index_by(file_.metadata_, &Entry::key, [this](const std::string &key) {
        throw bad_file("the GGUF file is corrupt: it has the metadata key '" + key + "' twice",
                       reader_.position())
            .parameter(key);
    });
}

Value FileParser::read_value(const std::string &key) {
    const std::string what = "the value of '" + key + "'";
    const std::uint64_t start = reader_.position();
    auto type = static_cast<ValueType>(reader_.u32(what));
    const bool is_array = type == ValueType::array;
    std::uint64_t count = 1;
    if (is_array) {
        type = static_cast<ValueType>(reader_.u32(what));
        count = reader_.u64(what);
        if (count > max_array_elements) {
            throw bad_file("the GGUF file is corrupt: impossible length of '" + key + "'", start)
                .parameter(key)
                .expected("at most " + std::to_string(max_array_elements) + " elements")
                .actual(count);
        }
    }
    if (type == ValueType::string) {
        return read_strings(is_array, count, what);
    }
    const std::size_t size = value_type_size(type);
    if (size == 0) {
        throw bad_file(type == ValueType::array
                           ? "'" + key + "' is an array of arrays, which llama.cpp cannot read"
                           : "the GGUF file is corrupt: '" + key + "' is of an unknown type",
                       start)
            .parameter(key)
            .actual("type " + std::to_string(static_cast<std::uint32_t>(type)));
    }
    return Value::numbers(type, is_array, reader_.bytes(count * size, what));
}

Value FileParser::read_strings(bool is_array, std::uint64_t count, const std::string &what) {
    reader_.require(count, sizeof(std::uint64_t), what);
    std::string joined;
    std::vector<std::uint64_t> ends;
    constexpr std::uint64_t trusted_count = 1U << 20U;
    ends.reserve(static_cast<std::size_t>(std::min(count, trusted_count)));
    for (std::uint64_t i = 0; i < count; ++i) {
        reader_.append_string(joined, what);
        ends.push_back(joined.size());
        joined.push_back('\0');
    }
    return Value::strings(is_array, std::move(joined), std::move(ends));
}

void FileParser::read_alignment() {
    constexpr std::string_view key = "general.alignment";
    const Value *value = file_.find(key);
    if (value == nullptr) {
        return;
    }
    if (value->type() != ValueType::uint32) {
        throw bad_file("the GGUF file's alignment is of the wrong type", reader_.position())
            .parameter(key)
            .expected("uint32")
            .actual(value->description());
    }
    const auto alignment = static_cast<std::uint32_t>(value->as_uint());
    if (alignment < min_alignment || alignment > max_alignment || !std::has_single_bit(alignment)) {
        throw bad_file("the GGUF file has an impossible alignment", reader_.position())
            .parameter(key)
            .expected("a power of two, " + std::to_string(min_alignment) + " to " +
                      std::to_string(max_alignment))
            .actual(alignment);
    }
    file_.alignment_ = alignment;
}

std::string FileParser::read_tensor_name(std::uint64_t index) {
    const std::uint64_t start = reader_.position();
    std::string name;
    reader_.append_string(name, "the name of tensor " + std::to_string(index));
    if (name.empty() || name.size() > max_tensor_name_size || !is_printable_name(name)) {
        throw bad_file("the GGUF file is corrupt: tensor " + std::to_string(index) +
                           " has an impossible name",
                       start)
            .expected("1 to " + std::to_string(max_tensor_name_size) + " bytes of UTF-8 text")
            .actual(name.size() > max_tensor_name_size ? std::to_string(name.size()) + " bytes"
                                                       : base::replace_invalid_utf8(name));
    }
    return name;
}

void FileParser::read_shape(TensorInfo &tensor) {
    const std::string what = "the shape of tensor '" + tensor.name + "'";
    const std::uint64_t start = reader_.position();
    tensor.n_dims = reader_.u32(what);
    if (tensor.n_dims > max_dims) {
        throw bad_file("tensor '" + tensor.name + "' has too many dimensions", start)
            .parameter(tensor.name)
            .expected("at most " + std::to_string(max_dims))
            .actual(tensor.n_dims);
    }
    tensor.ne.fill(1);
    std::int64_t elements = 1;
    for (std::uint32_t i = 0; i < tensor.n_dims; ++i) {
        const auto n = static_cast<std::int64_t>(reader_.u64(what));
        if (n < 1) {
            throw bad_file("tensor '" + tensor.name + "' has an impossible dimension", start)
                .parameter(tensor.name)
                .expected("1 or more elements")
                .actual(n);
        }
        if (n > std::numeric_limits<std::int64_t>::max() / elements) {
            throw bad_file("tensor '" + tensor.name + "' has more elements than can be counted",
                           start)
                .parameter(tensor.name)
                .expected("less than 2^63 elements");
        }
        elements *= n;
        tensor.ne[i] = n;
    }
}

void FileParser::read_type(TensorInfo &tensor) {
    const std::uint64_t start = reader_.position();
    const std::uint32_t id = reader_.u32("the type of tensor '" + tensor.name + "'");
    tensor.type = find_tensor_type(id);
    if (tensor.type == nullptr) {
        const std::string_view withdrawn = withdrawn_tensor_type(id);
        throw bad_file(withdrawn.empty()
                           ? "tensor '" + tensor.name +
                                 "' is of a type that llama.cpp does not know"
                           : "tensor '" + tensor.name + "' is of type " + std::string(withdrawn) +
                                 ", which llama.cpp no longer reads; quantize the model again",
                       start)
            .parameter(tensor.name)
            .expected("one of the tensor types 0 to " + std::to_string(tensor_types().back().id))
            .actual("type " + std::to_string(id));
    }
    const TensorType &type = *tensor.type;
    if (tensor.ne[0] % type.block_elements != 0) {
        throw bad_file("the rows of tensor '" + tensor.name +
                           "' are not whole blocks of its type " + std::string(type.name),
                       start)
            .parameter(tensor.name)
            .expected("a multiple of " + std::to_string(type.block_elements) + " elements")
            .actual(tensor.ne[0]);
    }
    const std::uint64_t blocks = tensor.elements() / type.block_elements;
    if (blocks >
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / type.block_bytes) {
        throw bad_file("tensor '" + tensor.name + "' is larger than any file", start)
            .parameter(tensor.name)
            .expected("less than 2^63 bytes")
            .actual(std::to_string(blocks) + " blocks of " + std::to_string(type.block_bytes) +
                    " bytes");
    }
    tensor.nbytes = blocks * type.block_bytes;
}

void FileParser::read_tensors() {
    // The count was held against the whole file; now it must fit what the metadata has left.
    reader_.require(n_tensors_, min_tensor_size, "its tensor infos");
    for (std::uint64_t i = 0; i < n_tensors_; ++i) {
        TensorInfo tensor;
        tensor.name = read_tensor_name(i);
        reader_.set_subject(tensor.name);
        read_shape(tensor);
        read_type(tensor);
        tensor.offset = reader_.u64("the offset of tensor '" + tensor.name + "'");
        reader_.set_subject({});
        file_.tensors_.push_back(std::move(tensor));
    }
    file_.tensors_by_name_ =
        index_by(file_.tensors_, &TensorInfo::name, [this](const std::string &name) {
            throw bad_file("the GGUF file is corrupt: it has tensor '" + name + "' twice",
                           reader_.position())
                .parameter(name);
        });
}

// llama.cpp wants the tensors back to back in the order of their infos, each padded to the
// alignment. Anything else is named for what it is: misaligned, overlapping, or with a gap.
void FileParser::place_tensors() {
    const std::uint64_t mask = file_.alignment_ - 1;
    const std::uint64_t infos_end = reader_.position();
    file_.data_offset_ = n_tensors_ == 0 ? infos_end : (infos_end + mask) & ~mask;

    std::uint64_t next = 0;
    const TensorInfo *previous = nullptr;
    for (const TensorInfo &tensor : file_.tensors_) {
        if (tensor.offset != next) {
            std::string message = "the data of tensor '" + tensor.name + "' ";
            if ((tensor.offset & mask) != 0) {
                message += "is not aligned to " + std::to_string(file_.alignment_) + " bytes";
            } else if (previous == nullptr) {
                message += "does not start where the tensor data does";
            } else {
                message += tensor.offset < next ? "overlaps that of tensor '"
                                                : "does not follow that of tensor '";
                message += previous->name + "'";
            }
            throw bad_file(message, infos_end)
                .parameter(tensor.name)
                .expected("offset " + std::to_string(next))
                .actual("offset " + std::to_string(tensor.offset));
        }
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        const std::uint64_t start = file_.data_offset_ + tensor.offset;
        if (start > file_.size_ || tensor.nbytes > file_.size_ - start) {
            std::string needed = "more than 2^63 bytes";
            if (tensor.nbytes <= most - start) {
                needed = "at least " + std::to_string(start + tensor.nbytes) + " bytes";
            }
            throw bad_file(
                "the GGUF file is truncated: it ends before or inside the data of tensor '" +
                    tensor.name + "'",
                file_.size_)
                .parameter(tensor.name)
                .expected(needed)
                .actual(std::to_string(file_.size_) + " bytes");
        }
        // The tensor lies inside the file, so padding it cannot overflow.
        next = (tensor.offset + tensor.nbytes + mask) & ~mask;
        previous = &tensor;
    }
}

File File::parse(const Source &source) {
    return FileParser(source).run();
}

} // namespace mullama::core::gguf
