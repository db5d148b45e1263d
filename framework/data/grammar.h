#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/core/random.h"

namespace bitnet {

/// A weighted grammar without recursion: a graph of rules, each a fixed text, a sequence of rules, or a choice between
/// rules with integer weights. Whole-number weights make every probability exact, so that -log p of what was generated
/// is the sum of the logarithms of the choices taken.
class Grammar {
 public:
  /// Index of a rule. A rule refers only to rules made before it, so the graph has no cycles.
  using RuleId = int32_t;
  enum class RuleKind { kText, kSequence, kChoice };

  struct Rule {
    RuleKind kind = RuleKind::kText;
    std::string text;              ///< kText
    std::vector<RuleId> children;  ///< kSequence: in order; kChoice: the alternatives
    std::vector<int64_t> bounds;   ///< kChoice: running sums of the weights, the last is the total

    /// Weight of one alternative; its probability is weight(i) / bounds.back().
    int64_t weight(size_t alternative) const {
      return bounds[alternative] - (alternative == 0 ? 0 : bounds[alternative - 1]);
    }
  };

  struct Alternative {
    int64_t weight = 1;
    RuleId rule = 0;
  };

  /// The rule that gives this text. The same text gives the same rule.
  RuleId text(const std::string& text);
  RuleId sequence(std::vector<RuleId> children);
  /// Weights are at least 1. One alternative or more.
  RuleId choice(const std::vector<Alternative>& alternatives);
  /// A choice with equal weights.
  RuleId uniform(const std::vector<RuleId>& alternatives);
  /// A choice between texts with equal weights.
  RuleId uniform_texts(const std::vector<std::string>& texts);

  const Rule& rule(RuleId id) const { return rules_[static_cast<size_t>(id)]; }

  /// Appends one text drawn from the rule; gives -log p of the choices taken, in nats.
  double sample(RuleId id, Random& random, std::string& out) const;

 private:
  RuleId add(Rule rule);

  std::vector<Rule> rules_;
  std::map<std::string, RuleId> texts_;
};

}  // namespace bitnet
