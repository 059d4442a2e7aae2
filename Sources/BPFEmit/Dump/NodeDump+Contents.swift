import NetTypes
import PolicyAPI
import PolicyIR

extension NodeDump {
    /// Identities and rules.
    var ir: [Block] {
        var identities = DumpTable([.numbers("number"), .words("stands for")])
        for identity in image.identities {
            identities.add([.text(NodeDump.number(identity.number)), .text(identity.label)])
        }
        var blocks: [Block] = [.heading("identities"), .table(identities)]
        for subject in image.subjects {
            for direction in Direction.allCases {
                guard let policy = state.policy(of: subject.key, direction) else { continue }
                blocks.append(.heading("\(direction) of \(subject.key)"))
                blocks += isolation(policy) + [.line("  \(state(subject, direction))")]
                for (number, rule) in policy.rules.enumerated() {
                    let level = rule.tier == .normal ? "" : "\(rule.tier) \(rule.priority) "
                    blocks += [
                        .line(
                            "  rule \(number): \(level)\(rule.action) \(RuleText.text(rule.traffic)) "
                                + "\(direction == .ingress ? "from" : "to") \(RuleText.text(rule.peers))"
                                + RuleText.text(rule.l7)),
                        .line("    \(rule.origin)"),
                    ]
                }
            }
        }
        return blocks
    }

    private func isolation(_ policy: SubjectPolicy) -> [Block] {
        policy.isolatedBy.isEmpty
            ? [.line("  default allow: nothing isolates it")]
            : [.line("  default deny, isolated by")] + policy.isolatedBy.map { .line("    \($0)") }
    }

    /// `flow state never: egress lets every answer pass`.
    private func state(_ subject: SubjectImage, _ direction: Direction) -> String {
        let opposite = direction == .ingress ? Direction.egress : .ingress
        let need = subject.stateNeeds[direction]
        let why =
            switch need {
            case .never: "\(opposite) lets every answer pass"
            case .mirror: "where \(opposite) does not let the answer pass by itself"
            case .always: "\(opposite) does not let every answer pass by itself"
            }
        return "flow state \(need): \(why)"
    }

    /// Every map entry.
    var maps: [Block] {
        let names = names
        func label(_ identity: UInt32) -> DumpTable.Cell { .text(names[identity] ?? "") }
        var addresses = DumpTable([
            .words("address"), .numbers("identity"), .words("key"), .words("value"), .words("stands for"),
        ])
        for entry in image.addresses {
            addresses.add([
                "\(entry.address)", .text(NodeDump.number(entry.identity)), .text(NodeDump.hex(entry.address.bytes)),
                .text(NodeDump.hex(entry.identity)),
                .text((names[entry.unmarkedIdentity] ?? "") + (entry.isShared ? " and the outside" : "")),
            ])
        }
        var prefixes = DumpTable([
            .words("prefix"), .numbers("identity"), .words("key"), .words("value"), .words("stands for"),
        ])
        for entry in image.prefixes {
            prefixes.add([
                "\(entry.prefix)", .text(NodeDump.number(entry.identity)),
                "\(NodeDump.hex(UInt32(entry.prefix.mappedLength))) \(NodeDump.hex(entry.prefix.address.bytes))",
                .text(NodeDump.hex(entry.identity)), label(entry.identity),
            ])
        }
        var blocks: [Block] = [
            .heading("np_addresses: address -> identity"), .table(addresses),
            .heading("np_prefixes: longest prefix -> identity"), .table(prefixes),
        ]
        if !image.services.isEmpty { blocks += services }
        for subject in image.subjects {
            for direction in Direction.allCases where subject[direction].words > 0 {
                blocks += [
                    .heading("peers of \(direction) of \(subject.key): identity -> rule bits"),
                    .table(peers(subject[direction], label)),
                ]
            }
        }
        return blocks + footprint(DumpedTables(image))
    }

    private func peers(_ policy: PolicyImage, _ label: (UInt32) -> DumpTable.Cell) -> DumpTable {
        var table = DumpTable([
            .numbers("identity"), .words("rules"), .words("key"), .words("value"), .words("stands for"),
        ])
        for entry in policy.peers {
            table.add([
                .text(NodeDump.number(entry.identity)), .text(rules(entry, policy)),
                .text(NodeDump.hex(entry.identity)),
                .text(entry.words.map { NodeDump.hex($0) }.joined(separator: " ")),
                entry.identity == ReservedIdentity.unknown.rawValue ? "unknown or contested" : label(entry.identity),
            ])
        }
        return table
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
    var asm: [Block] {
        var blocks: [Block] = []
        for subject in image.subjects {
            for direction in Direction.allCases {
                let policy = subject[direction]
                blocks.append(
                    .heading(
                        "\(direction) of \(subject.key): \(policy.program.instructions.count) instructions, "
                            + "\(policy.program.instructions.count * 8) bytes"))
                blocks += policy.disassembly.split(separator: "\n").map { .line("  \($0)") }
            }
        }
        return blocks
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
