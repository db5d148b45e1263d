#include <string>
#include <vector>

#include "framework/app/commands.h"

int main(int argc, char** argv) { return bitnet::run_program(std::vector<std::string>(argv + 1, argv + argc)); }
