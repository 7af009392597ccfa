#include "platform/memory_file.hpp"

#include "platform/mapping.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace mullama::platform {
namespace {

MemoryFile make(std::string_view content, std::string_view name = "test") {
    return MemoryFile(std::as_bytes(std::span(content)), name);
}

std::string read(std::FILE *file, std::size_t size) {
    std::string text(size, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    return text;
}

TEST(MemoryFile, ReadsFromTheStartEachTime) {
    std::string content(3 << 20, 'x');
    content += "end";
    const MemoryFile memory = make(content);
    EXPECT_EQ(memory.size(), content.size());
    EXPECT_EQ(memory.name(), "test");
    for (int i = 0; i < 2; ++i) {
        const CFile file = memory.open_c_file();
        EXPECT_EQ(read(file.get(), content.size() + 1), content);
    }
}

TEST(MemoryFile, OutlivesItsOwnerInACFile) {
    std::optional<MemoryFile> memory(make("content"));
    const CFile file = memory->open_c_file();
    memory.reset();
    EXPECT_EQ(read(file.get(), 100), "content");
}

TEST(MemoryFile, MayBeEmptyAndHaveAnyName) {
    const MemoryFile memory = make("", std::string(1000, '\xC3') + std::string(1, '\0') + "/..");
    const CFile file = memory.open_c_file();
    EXPECT_EQ(read(file.get(), 1), "");
}

#ifdef __linux__

TEST(MemoryFile, HasAPathOnLinux) {
    const MemoryFile memory = make("content");
    ASSERT_TRUE(memory.path().has_value());
    const File file = File::open(*memory.path());
    EXPECT_EQ(file.size(), 7u);
    const Mapping mapping(file);
    EXPECT_EQ(mapping.bytes().size(), 7u);
}

TEST(MemoryFile, CFilesHavePositionsOfTheirOwnOnLinux) {
    const MemoryFile memory = make("0123456789");
    const CFile a = memory.open_c_file();
    const CFile b = memory.open_c_file();
    EXPECT_EQ(read(a.get(), 4), "0123");
    EXPECT_EQ(read(b.get(), 2), "01");
    EXPECT_EQ(read(a.get(), 4), "4567");
}

TEST(MemoryFile, CanBeMappedButNotChangedOnLinux) {
    const MemoryFile memory = make("0123456789");
    const CFile c_file = memory.open_c_file();
    const int descriptor = ::fileno(c_file.get());
    EXPECT_EQ(::fcntl(descriptor, F_GETFD), FD_CLOEXEC);

    // As llama.cpp maps it.
    void *const shared = ::mmap(nullptr, 10, PROT_READ, MAP_SHARED, descriptor, 0);
    ASSERT_NE(shared, MAP_FAILED);
    EXPECT_EQ(std::string_view(static_cast<const char *>(shared), 10), "0123456789");
    ::munmap(shared, 10);

    EXPECT_EQ(::write(descriptor, "x", 1), -1);
    EXPECT_NE(::ftruncate(descriptor, 0), 0);
    const int writer = ::open(memory.path()->c_str(), O_RDWR | O_CLOEXEC);
    if (writer >= 0) {
        EXPECT_EQ(::write(writer, "x", 1), -1);
        EXPECT_NE(::ftruncate(writer, 0), 0);
        ::close(writer);
    }
    const CFile again = memory.open_c_file();
    EXPECT_EQ(read(again.get(), 100), "0123456789");
}

#endif

} // namespace
} // namespace mullama::platform
