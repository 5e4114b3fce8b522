// Vectors: the frozen corpus made again. docs/format/replay.md.
//
//   vectors check FILE…      each line {"input":…,"output":…} of ID.jsonl: the same
//                            bytes? Exit 1 and the first difference of each file.
//   vectors shuffle SEED FILE…   the same with everything in another order
//   vectors record ID        inputs, one a line, from standard input; such lines out

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "tests/vectors/answers.h"

namespace proofgate {
namespace {

struct Case {
  std::size_t line = 0;
  std::string text;
};

Result<std::vector<Case>> ReadCases(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return FailErrno(errno, path);
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) cases.push_back({cases.size() + 1, line});
  if (cases.empty()) return Fail(Code::kInvalid, path + ": no cases");
  return cases;
}

// Where the answer is not the recorded one: both sides.
Status CheckCase(std::string_view id, const std::string& text, const unsigned* seed) {
  std::vector<json::Member> members;
  TRY(json::ScanCanonical(text, members));
  if (members.size() != 2 || members[0].name != "input" || members[1].name != "output")
    return Fail(Code::kInvalid, "input and output expected");
  json::Value input = TRY(json::Parse(members[0].value));
  if (seed != nullptr) input = Reordered(id, input, *seed);
  const std::string answer = TRY(AnswerBy(id, input));
  if (answer != members[1].value)
    return Fail(Code::kCorrupt, "recorded " + std::string(members[1].value) + "\n  now      " + answer);
  return {};
}

Status CheckFile(const std::string& path, const unsigned* seed) {
  const std::string id = std::filesystem::path(path).stem().string();
  std::vector<Case> cases = TRY(ReadCases(path));
  if (seed != nullptr) {
    std::mt19937 random(*seed);
    for (std::size_t i = cases.size(); i > 1; --i) std::swap(cases[i - 1], cases[random() % i]);
  }
  for (const Case& one : cases)
    if (const Status same = CheckCase(id, one.text, seed); !same)
      return Fail(same.error().code, path + ":" + std::to_string(one.line) + ": " + same.error().message);
  std::printf("%s: %zu decisions, the same bytes\n", id.c_str(), cases.size());
  return {};
}

int Check(const std::vector<std::string>& files, const unsigned* seed) {
  int status = 0;
  for (const std::string& file : files)
    if (const Status same = CheckFile(file, seed); !same) {
      std::fprintf(stderr, "%s\n", same.error().message.c_str());
      status = 1;
    }
  return status;
}

int Record(const std::string& id) {
  for (std::string line; std::getline(std::cin, line);) {
    const auto input = json::Parse(line);
    const auto answer = input ? AnswerBy(id, *input) : Result<std::string>(tl::unexpected(input.error()));
    if (!answer) {
      std::fprintf(stderr, "%s\n  of %s\n", answer.error().message.c_str(), line.c_str());
      return 1;
    }
    std::cout << R"({"input":)" << line << R"(,"output":)" << *answer << "}\n";
  }
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  // Whatever the surroundings are: they are to make no difference.
  std::setlocale(LC_ALL, "");
  if (arguments.size() >= 2 && arguments[0] == "check") return Check({arguments.begin() + 1, arguments.end()}, nullptr);
  if (arguments.size() >= 3 && arguments[0] == "shuffle") {
    const unsigned seed = static_cast<unsigned>(std::strtoul(arguments[1].c_str(), nullptr, 10));
    return Check({arguments.begin() + 2, arguments.end()}, &seed);
  }
  if (arguments.size() == 2 && arguments[0] == "record") return Record(arguments[1]);
  if (arguments.size() == 1 && arguments[0] == "ids") {
    for (const std::string_view id : SemanticsIds()) std::printf("%s\n", std::string(id).c_str());
    return 0;
  }
  if (arguments.size() == 1 && arguments[0] == "locale") {
    std::printf("%s\n", std::localeconv()->decimal_point);
    return 0;
  }
  std::fprintf(stderr, "Usage: vectors check FILE… | shuffle SEED FILE… | record ID | ids | locale\n");
  return 2;
}

}  // namespace
}  // namespace proofgate

int main(int argc, char** argv) { return proofgate::Main({argv + 1, argv + argc}); }
