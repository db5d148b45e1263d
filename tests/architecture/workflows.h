#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/rules.h"
#include "tests/architecture/source_tree.h"

// Whether the workflows and the files of Docker speak of what is there.

namespace bitnet::architecture {

/// What a workflow may name.
struct ProjectNames {
  std::set<std::string> paths;
  std::set<std::string> presets;  ///< of CMakePresets.json
  std::set<std::string> tests;    ///< as ctest knows them
  std::set<std::string> labels;   ///< of the tests
  std::set<std::string> isas;     ///< values of BITNET_ISA
};

/// The names that `tree` has.
ProjectNames project_names(const std::vector<SourceFile>& tree);

/// In a file of .github/ or docker/, or a script: paths, presets, ctest labels (-L) and patterns (-R) that stand for
/// nothing; actions of others that are not pinned by a commit with its tag beside it; and lists of kernels (`isa:`)
/// that are not all of them.
Violations check_workflow(const SourceFile& file, const ProjectNames& names);

}  // namespace bitnet::architecture
