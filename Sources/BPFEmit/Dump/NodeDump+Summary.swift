import NetTypes

extension NodeDump {
    /// Endpoints, subjects, sizes.
    var summary: [Line] {
        var lines = heading(
            "node \(state.localNode): \(count(image.endpoints.count, "local pod")), \(count(image.subjects.count, "subject")), "
                + "\(count(image.identities.count, "identity", "identities"))")
        var endpoints = DumpTable([("pod", .left), ("identity", .right), ("addresses", .left), ("subject", .left)])
        for endpoint in image.endpoints {
            endpoints.add([
                "\(endpoint.namespace)/\(endpoint.name)", NodeDump.number(endpoint.identity),
                endpoint.addresses.map(\.description).joined(separator: ","), endpoint.subject,
            ])
        }
        if !image.endpoints.isEmpty { lines += plain(endpoints.lines()) }
        lines += heading("policies")
        var policies = DumpTable([
            ("subject", .left), ("direction", .left), ("default", .left), ("rules", .right), ("bits", .right),
            ("peers", .right), ("words", .right), ("instructions", .right),
        ])
        for subject in image.subjects {
            for direction in Direction.allCases {
                let policy = subject[direction]
                policies.add([
                    subject.key, "\(direction)", policy.isolatedBy.isEmpty ? "allow" : "deny",
                    "\(state.policy(of: subject.key, direction)?.rules.count ?? 0)", "\(policy.bits.count)",
                    "\(policy.peers.count)", "\(policy.words)", "\(policy.program.instructions.count)",
                ])
            }
        }
        lines += plain(policies.lines())
        return lines + footprint
    }

    /// The maps with their sizes.
    var footprint: [Line] {
        var lines = heading("maps")
        var table = DumpTable([
            ("map", .left), ("entries", .right), ("capacity", .right), ("key", .right), ("value", .right),
            ("kernel memory", .right),
        ])
        var total = 0
        for map in image.footprints {
            total += map.memory
            table.add([
                map.name, "\(map.entries)", map.capacity.map(String.init) ?? "-", "\(map.keySize) B",
                "\(map.valueSize) B",
                NodeDump.bytes(map.memory),
            ])
        }
        table.add(["total", "", "", "", "", NodeDump.bytes(total)])
        lines += plain(table.lines())
        return lines
    }

    private func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }

    /// `312 B`, `4.0 KiB`, `39.0 MiB`.
    static func bytes(_ count: Int) -> String {
        if count < 1024 { return "\(count) B" }
        let (unit, name) = count < 1 << 20 ? (1 << 10, "KiB") : (1 << 20, "MiB")
        let tenths = (count * 10 + unit / 2) / unit
        return "\(tenths / 10).\(tenths % 10) \(name)"
    }
}
