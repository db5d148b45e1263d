#pragma once

#include <string>
#include <vector>

namespace bitnet {

/// The subcommands. Each takes the words after its name and returns the exit code; a wrong word is a ConfigError.
int run_command(const std::vector<std::string>& words);
int config_command(const std::vector<std::string>& words);
int data_command(const std::vector<std::string>& words);
int evaluate_command(const std::vector<std::string>& words);
int execute_command(const std::vector<std::string>& words);
int import_command(const std::vector<std::string>& words);
int generate_command(const std::vector<std::string>& words);
int pack_command(const std::vector<std::string>& words);
int bench_command(const std::vector<std::string>& words);
int report_command(const std::vector<std::string>& words);
int gate_command(const std::vector<std::string>& words);
int reproduce_command(const std::vector<std::string>& words);

/// A process that `bitnet bench` starts; not for users.
int bench_worker_command(const std::vector<std::string>& words);

/// The program: finds the subcommand, prints errors, gives the exit code (ExitCode).
int run_program(const std::vector<std::string>& words);

}  // namespace bitnet
