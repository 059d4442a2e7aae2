extension ForwardingRules {
    /// Chains of the kernel's own tables that forwarded packets pass.
    private static let builtIn: Set<Substring> = ["PREROUTING", "FORWARD", "POSTROUTING"]

    /// Takes in what `iptables-save -t TABLE` says.
    mutating func add(iptables text: String, family: String, table: String) {
        let name = "\(family) \(table)"
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if line.hasPrefix(":"), words.count >= 2 {
                let chain = words[0].dropFirst()
                var entry = Chain(name: "\(name) \(chain)", shortName: String(chain))
                entry.isEntry = ForwardingRules.builtIn.contains(chain)
                entry.dropsTheRest = words[1] == "DROP"
                tables[name, default: [:]][String(chain)] = entry
            } else if words.first == "-A", words.count >= 2 {
                let chain = String(words[1])
                tables[name, default: [:]][chain, default: Chain(name: "\(name) \(chain)", shortName: chain)].rules
                    .append(ForwardingRules.effect(of: words.dropFirst(2)))
            }
        }
    }

    private static func effect(of words: ArraySlice<Substring>) -> Effect {
        guard let place = words.lastIndex(where: { $0 == "-j" || $0 == "-g" }), place + 1 < words.endIndex else {
            return .none  // it counts
        }
        let target = words[place + 1]
        var states: Substring = ""
        if let option = words.firstIndex(where: { $0 == "--ctstate" || $0 == "--state" }), option + 1 < words.endIndex,
            words[..<option].last != "!"
        {
            states = words[option + 1]
        }
        switch target {
        case "ACCEPT": return states.split(separator: ",").contains("ESTABLISHED") ? .acceptsEstablished : .none
        case "RETURN": return .none
        case "DROP" where states == "INVALID": return .dropsInvalid
        case "DROP", "REJECT": return .other("target \(target)")
        // The targets of extensions are written in capitals too: a chain of this table is one that it declares.
        default: return .chain(String(target))
        }
    }
}
