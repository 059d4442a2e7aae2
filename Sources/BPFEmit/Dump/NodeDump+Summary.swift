import NetTypes

extension NodeDump {
    /// Endpoints, subjects, sizes.
    var summary: [Block] {
        var blocks: [Block] = [
            .heading(
                "node \(state.localNode): \(count(image.endpoints.count { !$0.key.isHost }, "local pod")), "
                    + "\(count(image.subjects.count, "subject")), "
                    + "\(count(image.identities.count, "identity", "identities"))")
        ]
        if !image.endpoints.isEmpty { blocks.append(.table(endpoints)) }
        return blocks + [.heading("policies"), .table(policies)] + nameBlocks + footprint
    }

    private var endpoints: DumpTable {
        var table = DumpTable([.words("pod"), .numbers("identity"), .words("addresses"), .words("subject")])
        for endpoint in image.endpoints {
            table.add([
                .text("\(endpoint.key)"), .text(NodeDump.number(endpoint.identity)),
                .text(endpoint.addresses.map(\.description).joined(separator: ",")), .text(endpoint.subject),
            ])
        }
        return table
    }

    private var policies: DumpTable {
        var table = DumpTable([
            .words("subject"), .words("direction"), .words("default"), .words("state"), .numbers("rules"),
            .numbers("bits"),
            .numbers("peers"), .numbers("words"), .numbers("instructions"),
        ])
        for subject in image.subjects {
            for direction in Direction.allCases {
                let policy = subject[direction]
                table.add([
                    .text(subject.key), "\(direction)", policy.isolatedBy.isEmpty ? "allow" : "deny",
                    "\(subject.stateNeeds[direction])",
                    "\(state.policy(of: subject.key, direction)?.rules.count ?? 0)", "\(policy.bits.count)",
                    "\(policy.peers.count)", "\(policy.words)", "\(policy.program.instructions.count)",
                ])
            }
        }
        return table
    }

    /// The maps with their sizes.
    var footprint: [Block] {
        var table = DumpTable([
            .words("map"), .numbers("entries"), .numbers("capacity"), .numbers("key"), .numbers("value"),
            .numbers("kernel memory"),
        ])
        for map in image.footprints {
            table.add([
                .text(map.name), "\(map.entries)", .text(map.capacity.map(String.init) ?? "-"), "\(map.keySize) B",
                "\(map.valueSize) B", .bytes(map.memory),
            ])
        }
        table.add(["total", "", "", "", "", .bytes(image.footprints.reduce(0) { $0 + $1.memory })])
        return [.heading("maps"), .table(table)]
    }

    private func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }
}
