import PolicyAPI
import PolicyIR

/// What must hold of names and name patterns (docs/spec/cilium-network-policy.md 12.2), beside a second, naive matcher.
enum NameLaws {
    /// Checks a pattern against a name.
    static func check(pattern: String, name: String) throws(BrokenLaw) {
        if let literal = selector("matchName", pattern) {
            try BrokenLaw.unless(NamePattern(literal).matches(pattern), "\(pattern) does not match itself")
            try BrokenLaw.unless(NamePattern(literal).matches(pattern.uppercased()), "the case of \(pattern) counts")
        }
        guard name.utf8.count <= 64, let selector = selector("matchPattern", pattern) else { return }
        let compiled = NamePattern(selector)
        let isMatch = compiled.matches(name)
        try BrokenLaw.unless(isMatch == compiled.matches(name.uppercased()), "case counts: \(pattern) and \(name)")
        guard self.selector("matchName", name) != nil, pattern.utf8.count <= 64 else { return }
        try BrokenLaw.unless(
            isMatch == matches(bytes(pattern), bytes(name)), "\(pattern) and \(name): \(isMatch) is not naive's answer")
    }

    private static func selector(_ member: String, _ text: String) -> FQDNSelector? {
        let body =
            "\"spec\": {\"endpointSelector\": {}, \"egress\": [{\"toFQDNs\": [{\"\(member)\": \(JSONWriting.quoted(text))}]}]}"
        return Written.objects("cilium.io/v2", "CiliumNetworkPolicy", body).ciliumPolicies.first?.rules.first?.egress
            .first?.fqdns.value?.first
    }

    private static func bytes(_ name: String) -> [UInt8] {
        let bytes = Array(name.lowercased().utf8)
        return bytes.last == UInt8(ascii: ".") ? bytes : bytes + [UInt8(ascii: ".")]
    }

    private static let star = UInt8(ascii: "*")
    private static let dot = UInt8(ascii: ".")

    /// A table of "the first i bytes of the pattern match the first j of the name".
    private static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        if pattern.dropLast().allSatisfy({ $0 == star }) { return true }
        // A leading `**.` takes whole labels, one at least.
        let stars = pattern.prefix { $0 == star }.count
        if stars >= 2, pattern[stars] == dot {
            let rest = Array(pattern[(stars + 1)...])
            return name.indices.contains {
                name[$0] == dot && $0 + 1 <= name.count && glob(rest, Array(name[($0 + 1)...]))
            }
        }
        return glob(pattern, name)
    }

    private static func glob(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        var row = [Bool](repeating: false, count: name.count + 1)
        row[0] = true
        for byte in pattern {
            var next = [Bool](repeating: false, count: name.count + 1)
            if byte == star {
                next[0] = row[0]
                for index in name.indices { next[index + 1] = row[index + 1] || (next[index] && name[index] != dot) }
            } else {
                for index in name.indices { next[index + 1] = row[index] && name[index] == byte }
            }
            row = next
        }
        return row[name.count]
    }
}
