#include "framework/data/grammar.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bitnet {

Grammar::RuleId Grammar::add(Rule rule) {
  rules_.push_back(std::move(rule));
  return static_cast<RuleId>(rules_.size() - 1);
}

Grammar::RuleId Grammar::text(const std::string& text) {
  const auto [position, is_new] = texts_.try_emplace(text, static_cast<RuleId>(rules_.size()));
  if (is_new) add({RuleKind::kText, text, {}, {}});
  return position->second;
}

Grammar::RuleId Grammar::sequence(std::vector<RuleId> children) {
  return add({RuleKind::kSequence, {}, std::move(children), {}});
}

Grammar::RuleId Grammar::choice(const std::vector<Alternative>& alternatives) {
  Rule rule{RuleKind::kChoice, {}, {}, {}};
  int64_t total = 0;
  for (const Alternative& alternative : alternatives) {
    rule.children.push_back(alternative.rule);
    rule.bounds.push_back(total += alternative.weight);
  }
  return add(std::move(rule));
}

Grammar::RuleId Grammar::uniform(const std::vector<RuleId>& alternatives) {
  std::vector<Alternative> weighted;
  weighted.reserve(alternatives.size());
  for (const RuleId alternative : alternatives) weighted.push_back({1, alternative});
  return choice(weighted);
}

Grammar::RuleId Grammar::uniform_texts(const std::vector<std::string>& texts) {
  std::vector<RuleId> alternatives;
  alternatives.reserve(texts.size());
  for (const std::string& alternative : texts) alternatives.push_back(text(alternative));
  return uniform(alternatives);
}

double Grammar::sample(RuleId id, Random& random, std::string& out) const {
  const Rule& current = rule(id);
  switch (current.kind) {
    case RuleKind::kText:
      out += current.text;
      return 0.0;
    case RuleKind::kSequence: {
      double nats = 0.0;
      for (const RuleId child : current.children) nats += sample(child, random, out);
      return nats;
    }
    case RuleKind::kChoice: {
      const int64_t total = current.bounds.back();
      const auto drawn = static_cast<int64_t>(random.below(static_cast<uint64_t>(total)));
      const auto bound = std::upper_bound(current.bounds.begin(), current.bounds.end(), drawn);
      const auto alternative = static_cast<size_t>(bound - current.bounds.begin());
      const double nats = std::log(static_cast<double>(total) / static_cast<double>(current.weight(alternative)));
      return nats + sample(current.children[alternative], random, out);
    }
  }
  return 0.0;
}

}  // namespace bitnet
