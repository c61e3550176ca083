// A test in a process of its own: for what a process cannot do twice, or does not survive.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern char **environ;

namespace cuda {

// The last thing that a test in a child does: a filter that matches nothing exits with 0 too.
inline void child_is_done() {
    std::puts("the child has come to its end");
}

struct ChildResult {
    int status = -1;  // its exit status; -1: ended by a signal, or by us since it hung
    bool done = false;
    std::string output;
};

inline std::string this_program() {
    char path[PATH_MAX] = {};
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) throw std::runtime_error("/proc/self/exe cannot be read");
    return path;
}

// Runs the disabled test "Child.DISABLED_<name>" of this program, with changes to the environment, for at most two minutes.
inline ChildResult run_child(const std::string &name, const std::map<std::string, std::string> &changes) {
    const std::string self = this_program();
    std::vector<std::string> arguments{self, "--gtest_also_run_disabled_tests", "--gtest_filter=Child.DISABLED_" + name}, variables;
    for (char **variable = environ; *variable; ++variable) {
        const std::string text = *variable;
        const bool gtests = text.rfind("GTEST_", 0) == 0 || text.rfind("TEST_", 0) == 0;  // shards, files of results
        if (!gtests && !changes.count(text.substr(0, text.find('=')))) variables.push_back(text);
    }
    for (const auto &[key, value] : changes) variables.push_back(key + "=" + value);
    const auto pointers = [](std::vector<std::string> &texts) {
        std::vector<char *> list;
        for (std::string &text : texts) list.push_back(text.data());
        list.push_back(nullptr);
        return list;
    };

    std::FILE *const output = std::tmpfile();
    if (!output) throw std::runtime_error("no temporary file");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(output), 1);
    posix_spawn_file_actions_adddup2(&actions, fileno(output), 2);
    pid_t child = 0;
    const int spawned =
        posix_spawn(&child, self.c_str(), &actions, nullptr, pointers(arguments).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    if (spawned != 0) throw std::runtime_error(std::string("posix_spawn: ") + std::strerror(spawned));

    ChildResult result;
    int status = 0;
    bool ended = false;
    for (int i = 0; i < 1200 && !ended; ++i) {
        ended = waitpid(child, &status, WNOHANG) == child;
        if (!ended) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (!ended) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        result.output = "(hung, and was killed)\n";
    }
    result.status = ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::rewind(output);
    char chunk[4096];
    for (std::size_t n; (n = std::fread(chunk, 1, sizeof chunk, output)) > 0;) result.output.append(chunk, n);
    std::fclose(output);
    result.done = result.output.find("the child has come to its end") != std::string::npos;
    return result;
}

// The environment in which libraries are looked for there before all other places.
inline std::map<std::string, std::string> searching_first(const std::string &folder) {
    const char *before = std::getenv("LD_LIBRARY_PATH");
    return {{"LD_LIBRARY_PATH", before && *before ? folder + ":" + before : folder}};
}

// A folder with a file of that name that is no library, to be looked in before all others.
class BrokenLibrary {
public:
    explicit BrokenLibrary(const std::string &name) {
        char folder[] = "/tmp/mpt-test-XXXXXX";
        if (!mkdtemp(folder)) throw std::runtime_error("no folder in /tmp");
        folder_ = folder;
        file_ = folder_ + "/" + name;
        std::FILE *file = std::fopen(file_.c_str(), "w");
        if (!file || std::fputs("this is no library\n", file) < 0 || std::fclose(file) != 0)
            throw std::runtime_error(file_ + " cannot be written");
    }
    ~BrokenLibrary() {
        unlink(file_.c_str());
        rmdir(folder_.c_str());
    }
    BrokenLibrary(const BrokenLibrary &) = delete;
    BrokenLibrary &operator=(const BrokenLibrary &) = delete;

    std::map<std::string, std::string> environment() const { return searching_first(folder_); }

private:
    std::string folder_, file_;
};

}  // namespace cuda

#define EXPECT_CHILD_PASSES(name, environment)                              \
    do {                                                                    \
        const cuda::ChildResult child = cuda::run_child(name, environment); \
        EXPECT_EQ(0, child.status) << child.output;                         \
        EXPECT_TRUE(child.done) << child.output;                            \
    } while (false)
