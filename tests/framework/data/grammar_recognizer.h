#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "framework/data/grammar.h"

namespace bitnet::testing {

// One way, or several that end at the same place, to read a text by a rule.
struct Reading {
  double probability = 0;
  double derivations = 0;
};

// Reads a text by dynamic programming over (rule, position): from the text alone, the probability of all derivations.
class Recognizer {
 public:
  Recognizer(const Grammar& grammar, std::string_view text) : grammar_(grammar), text_(text) {}

  Reading whole(Grammar::RuleId rule) {
    const auto readings = read(rule, 0);
    const auto found = readings.find(text_.size());
    return found == readings.end() ? Reading{} : found->second;
  }

 private:
  using Readings = std::map<size_t, Reading>;  // by where they end

  Readings read(Grammar::RuleId id, size_t at) {
    const Grammar::Rule& rule = grammar_.rule(id);
    if (rule.kind == Grammar::RuleKind::kText) {
      if (text_.substr(at).starts_with(rule.text)) return {{at + rule.text.size(), {1.0, 1.0}}};
      return {};
    }
    const uint64_t key = static_cast<uint64_t>(id) << 32 | at;
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    Readings readings;
    if (rule.kind == Grammar::RuleKind::kSequence) {
      readings[at] = {1.0, 1.0};
      for (const Grammar::RuleId child : rule.children) {
        Readings next;
        for (const auto& [begin, before] : readings)
          add(read(child, begin), before.probability, before.derivations, next);
        readings = std::move(next);
      }
    } else {
      for (size_t i = 0; i < rule.children.size(); ++i) {
        const double probability = static_cast<double>(rule.weight(i)) / static_cast<double>(rule.bounds.back());
        add(read(rule.children[i], at), probability, 1.0, readings);
      }
    }
    return known_[key] = readings;
  }

  static void add(const Readings& readings, double probability, double derivations, Readings& sum) {
    for (const auto& [end, reading] : readings) {
      sum[end].probability += probability * reading.probability;
      sum[end].derivations += derivations * reading.derivations;
    }
  }

  const Grammar& grammar_;
  std::string_view text_;
  std::unordered_map<uint64_t, Readings> known_;
};

}  // namespace bitnet::testing
