import NetTypes
import PolicyAPI
import PolicyIR

extension NodeDump {
    /// Identities and rules.
    var ir: [Line] {
        var lines = heading("identities")
        var identities = DumpTable([("number", .right), ("stands for", .left)])
        for identity in image.identities { identities.add([NodeDump.number(identity.number), identity.label]) }
        lines += plain(identities.lines())
        for subject in image.subjects {
            for direction in Direction.allCases {
                guard let policy = state.policy(of: subject.key, direction) else { continue }
                lines += heading("\(direction) of \(subject.key)")
                lines += plain(isolation(policy))
                for (number, rule) in policy.rules.enumerated() {
                    let level = rule.tier == .normal ? "" : "\(rule.tier) \(rule.priority) "
                    lines += plain([
                        "  rule \(number): \(level)\(rule.action) \(RuleText.text(rule.traffic)) "
                            + "\(direction == .ingress ? "from" : "to") \(RuleText.text(rule.peers))\(RuleText.text(rule.l7))",
                        "    \(rule.origin)",
                    ])
                }
            }
        }
        return lines
    }

    private func isolation(_ policy: SubjectPolicy) -> [String] {
        policy.isolatedBy.isEmpty
            ? ["  default allow: nothing isolates it"]
            : ["  default deny, isolated by"] + policy.isolatedBy.map { "    \($0)" }
    }

    /// Every map entry.
    var maps: [Line] {
        let names = names
        func label(_ identity: UInt32) -> String { names[identity] ?? "" }
        var lines = heading("np_addresses: address -> identity")
        var addresses = DumpTable([
            ("address", .left), ("identity", .right), ("key", .left), ("value", .left), ("stands for", .left),
        ])
        for entry in image.addresses {
            addresses.add([
                "\(entry.address)", NodeDump.number(entry.identity), NodeDump.hex(entry.address.bytes),
                NodeDump.hex(entry.identity), label(entry.identity),
            ])
        }
        lines += plain(addresses.lines())
        lines += heading("np_prefixes: longest prefix -> identity")
        var prefixes = DumpTable([
            ("prefix", .left), ("identity", .right), ("key", .left), ("value", .left), ("stands for", .left),
        ])
        for entry in image.prefixes {
            prefixes.add([
                "\(entry.prefix)", NodeDump.number(entry.identity),
                NodeDump.hex(UInt32(entry.prefix.mappedLength)) + " " + NodeDump.hex(entry.prefix.address.bytes),
                NodeDump.hex(entry.identity), label(entry.identity),
            ])
        }
        lines += plain(prefixes.lines())
        for subject in image.subjects {
            for direction in Direction.allCases where subject[direction].words > 0 {
                lines += heading("peers of \(direction) of \(subject.key): identity -> rule bits")
                lines += plain(peers(subject[direction], label))
            }
        }
        return lines + footprint
    }

    private func peers(_ policy: PolicyImage, _ label: (UInt32) -> String) -> [String] {
        var table = DumpTable([
            ("identity", .right), ("rules", .left), ("key", .left), ("value", .left), ("stands for", .left),
        ])
        for entry in policy.peers {
            table.add([
                NodeDump.number(entry.identity), rules(entry, policy), NodeDump.hex(entry.identity),
                entry.words.map { NodeDump.hex($0) }.joined(separator: " "),
                entry.identity == ReservedIdentity.unknown.rawValue ? "unknown or contested" : label(entry.identity),
            ])
        }
        return table.lines()
    }

    /// `allow 0,2 deny 1 host`.
    private func rules(_ entry: PeerEntry, _ policy: PolicyImage) -> String {
        var found: [(RuleAction, Int)] = []
        var isHost = false
        for (word, value) in entry.words.enumerated() {
            for bit in 0..<64 where value >> UInt64(bit) & 1 == 1 {
                let number = word * 64 + bit
                if number < policy.bits.count {
                    found.append((policy.bits[number].action, policy.bits[number].rule))
                } else {
                    isHost = true
                }
            }
        }
        var parts: [String] = []
        for action in [RuleAction.deny, .allow, .pass] {
            var numbers = found.filter { $0.0 == action }.map(\.1)
            // Several bits of one rule (a named port) stand beside each other.
            numbers = numbers.enumerated().filter { $0.offset == 0 || numbers[$0.offset - 1] != $0.element }.map(
                \.element)
            if !numbers.isEmpty { parts.append("\(action) " + numbers.map(String.init).joined(separator: ",")) }
        }
        if isHost { parts.append("host") }
        return parts.joined(separator: " ")
    }

    /// The programs.
    var asm: [Line] {
        var lines: [Line] = []
        for subject in image.subjects {
            for direction in Direction.allCases {
                let policy = subject[direction]
                lines += heading(
                    "\(direction) of \(subject.key): \(policy.program.instructions.count) instructions, "
                        + "\(policy.program.instructions.count * 8) bytes")
                lines += plain(policy.disassembly.split(separator: "\n").map { "  \($0)" })
            }
        }
        return lines
    }

    /// Bytes in the order they lie in memory.
    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// A number in host order (little-endian) as it lies in memory.
    static func hex<Number: FixedWidthInteger & UnsignedInteger>(_ number: Number) -> String {
        hex((0..<(Number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) })
    }
}
