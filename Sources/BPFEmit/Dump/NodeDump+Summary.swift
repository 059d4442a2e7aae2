import NetTypes

extension NodeDump {
    /// Endpoints, subjects, sizes.
    var summary: [Block] {
        let tables = DumpedTables(image)
        var blocks: [Block] = [
            .heading(
                "node \(state.localNode): \(count(image.endpoints.count { !$0.key.isHost }, "local pod")), "
                    + "\(count(image.subjects.count, "subject")), "
                    + "\(count(image.identities.count, "identity", "identities"))")
        ]
        if !image.endpoints.isEmpty { blocks.append(.table(endpoints)) }
        return blocks + [.heading("policies"), .table(policies)] + nameBlocks(tables) + footprint(tables)
    }

    private var endpoints: DumpTable {
        var table = DumpTable([
            .words("pod"), .numbers("identity"), .words("addresses", .below), .words("subject", .below),
        ])
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
            .words("pod"), .words("direction"), .words("default"), .words("state", .hidden), .numbers("rules"),
            .numbers("bits", .hidden), .numbers("peers"), .numbers("words", .hidden), .numbers("instructions"),
        ])
        let pods = subjectPods
        for subject in image.subjects {
            for direction in Direction.allCases {
                let policy = subject[direction]
                table.add([
                    .text(pods[subject.key] ?? subject.key), "\(direction)",
                    policy.isolatedBy.isEmpty ? "allow" : "deny",
                    "\(subject.stateNeeds[direction])",
                    "\(state.policy(of: subject.key, direction)?.rules.count ?? 0)", "\(policy.bits.count)",
                    "\(policy.peers.count)", "\(policy.words)", "\(policy.program.instructions.count)",
                ])
            }
        }
        return table
    }

    /// The maps with their sizes.
    func footprint(_ tables: DumpedTables) -> [Block] {
        var table = DumpTable([
            .words("map"), .numbers("entries"), .numbers("capacity"), .numbers("key", .hidden),
            .numbers("value", .hidden), .numbers("kernel memory"),
        ])
        let pods = subjectPods
        let maps = image.footprints(tables)
        for map in maps {
            let name = map.subject.map { "\(map.name) \(pods[$0] ?? $0)" } ?? map.name
            table.add([
                .text(name), "\(map.entries)", .text(map.capacity.map(String.init) ?? "-"), "\(map.keySize) B",
                "\(map.valueSize) B", .bytes(map.memory),
            ])
        }
        let others = NodeImage.otherMemory(maps, tables)
        table.add(["others, fixed size", "", "", "", "", .bytes(others)])
        table.add(["total", "", "", "", "", .bytes(maps.reduce(others) { $0 + $1.memory })])
        return [.heading("maps"), .table(table)]
    }

    /// Subjects by their first pod, which is shorter than labels and ports: `shop/web-1`, with how many more share it.
    private var subjectPods: [String: String] {
        Dictionary(grouping: image.endpoints, by: \.subject).mapValues { endpoints in
            let first = endpoints.map { "\($0.key)" }.min() ?? ""
            return endpoints.count == 1 ? first : "\(first) +\(endpoints.count - 1)"
        }
    }

    private func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }
}
