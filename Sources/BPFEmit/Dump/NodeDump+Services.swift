import CNetpoldABI
import NetTypes
import PolicyIR

extension NodeDump {
    /// The maps of Services as an agent that translates fills them first: later slots and ranges hang on what was there before.
    var services: [Block] {
        var tables = ServiceTables()
        let change = tables.change(to: image.services, now: 0)
        var frontends = DumpTable([
            .words("frontend"), .words("Service"), .words("kind"), .numbers("id"), .numbers("maglev"),
            .numbers("entries"), .numbers("affinity"), .words("key"), .words("value"),
        ])
        for frontend in image.services {
            guard let entry = tables.entries[frontend.key] else { continue }
            let port = frontend.portName.isEmpty ? "" : ":\(frontend.portName)"
            let address = ServiceBackend(address: frontend.address, port: frontend.port)
            frontends.add([
                "\(address)/\(frontend.protocol)", "\(frontend.service)\(port)", .text(frontend.kind.rawValue),
                .text("\(entry.id)"), .text("\(entry.maglev)"), .text("\(entry.size)"),
                .text(entry.affinity == 0 ? "" : "\(entry.affinity) s"),
                .text(NodeDump.hex(frontend.key)),
                .text(
                    [entry.maglev, entry.size, entry.id, entry.affinity].map { NodeDump.hex($0) }
                        .joined(separator: " ")),
            ])
        }
        var backends = DumpTable([
            .numbers("slot"), .words("backend"), .numbers("generation"), .numbers("port"), .words("value"),
        ])
        for slot in tables.usedSlots {
            backends.add([
                .text("\(slot.number)"), "\(slot.end.backend)/\(slot.end.protocol)", .text("\(slot.generation)"),
                .text("\(slot.service)"),
                .text(
                    "\(NodeDump.hex(slot.end.backend.address.bytes)) \(NodeDump.hex(slot.end.backend.port.bigEndian)) "
                        + "\(NodeDump.hex(slot.end.protocol.rawValue)) 01 \(NodeDump.hex(slot.generation)) "
                        + NodeDump.hex(slot.service)),
            ])
        }
        var ranges = DumpTable([.words("entries"), .words("slots, each with how many of them")])
        for range in change.ranges {
            let shares = Dictionary(range.slots.map { ($0, 1) }, uniquingKeysWith: +).sorted { $0.key < $1.key }
            ranges.add([
                .text("\(range.first)-\(Int(range.first) + range.slots.count - 1)"),
                .text(shares.map { "\($0.key): \($0.value)" }.joined(separator: ", ")),
            ])
        }
        var ends = DumpTable([.words("end"), .numbers("frontends"), .words("key")])
        for (end, count) in change.ends {
            ends.add([
                "\(end.backend)/\(end.protocol)", .text("\(count)"),
                .text(
                    NodeDump.hex(
                        ServiceFrontend.Key(
                            address: end.backend.address, port: end.backend.port, protocol: end.protocol))),
            ])
        }
        return [
            .heading("np_services: address, port, protocol -> Service (not loaded yet)"),
            .table(frontends), .heading("np_backends: slot -> address, port"), .table(backends),
            .heading("np_maglev: entry -> slot of a backend"), .table(ranges),
            .heading("np_backend_ends: address, port, protocol -> how many frontends have it"), .table(ends),
            .heading("np_addresses: entries with marks of Services"), .table(marked(tables)),
        ]
    }

    private func marked(_ tables: ServiceTables) -> DumpTable {
        var table = DumpTable([
            .words("address"), .numbers("identity"), .words("marks"), .words("value"), .words("stands for"),
        ])
        let names = names
        let entries = image.marking(
            frontends: Set(tables.entries.keys.map(\.address)), backends: Set(tables.knownEnds.map(\.backend.address)))
        for entry in entries where entry.isFrontend || entry.isBackend {
            let marks = [entry.isFrontend ? "frontend" : nil, entry.isBackend ? "backend" : nil].compactMap(\.self)
            table.add([
                "\(entry.address)", .text(NodeDump.number(entry.unmarkedIdentity)),
                .text(marks.joined(separator: " ")), .text(NodeDump.hex(entry.identity)),
                .text(names[entry.unmarkedIdentity] ?? ""),
            ])
        }
        return table
    }

    private static func hex(_ key: ServiceFrontend.Key) -> String {
        "\(hex(key.address.bytes)) \(hex(key.port.bigEndian)) \(hex(key.protocol.rawValue)) 00"
    }
}
