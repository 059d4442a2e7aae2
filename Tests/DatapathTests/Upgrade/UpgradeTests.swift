import BPFEmit
import CNetpoldABI
import Glibc
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("another version's instance", .needsRoot)
struct UpgradeTests {
    /// Whether the second version comes after this one.
    enum Way: String, CaseIterable { case upgrade, downgrade }

    private static func versions(_ change: SecondVersion.Change, _ way: Way) throws -> [UpgradeNetwork.Version] {
        let both = [UpgradeNetwork.Version.own, .init(try SecondVersion(change))]
        return way == .upgrade ? both : both.reversed()
    }

    private static let runs = [SecondVersion.Change.everything, .endpoints].flatMap { change in
        Way.allCases.flatMap { way in [AttachmentStyle.tcx, .clsact].map { (change, way, $0) } }
    }

    @Test(
        "its hooks are replaced in place, its flows and counters carried over, its pins removed; an idle flow of a pod that is isolated both ways resumes with the server",
        arguments: runs)
    func takeover(change: SecondVersion.Change, way: Way, style: AttachmentStyle) throws {
        let versions = try Self.versions(change, way)
        try UpgradeNetwork.with(style) { network in
            var links: [Hook: UInt32] = [:]
            var counted: [UInt8: PacketCount] = [:]
            var revision: UInt32 = 0
            do {
                let (node, _) = try network.run(versions[0])
                #expect(network.beginIdleFlow())
                #expect(try network.policyIsInForce())
                counted = try node.packetsByReason()
                revision = node.revision
                links = try Self.links(network, versions[0])
            }
            #expect(links.count == (style == .tcx ? 4 : 0))

            let node = try network.open(versions[1])
            #expect(node.otherVersions.map(\.name) == ["v\(versions[0].number)"])
            #expect(node.adoptedInterfaces.count == 2)
            #expect(node.adoptedInterfaces.values.allSatisfy { $0.count == 1 })
            #expect(node.identities.addresses.map(\.1) == [300, 301, 302])
            // Until the new version's policies are loaded the old one's decide.
            #expect(try network.policyIsInForce())
            let report = try network.apply(node)
            #expect(report.takenOver == ["v\(versions[0].number)"])
            #expect(report.hooksChanged == 4)
            #expect(try network.versions() == ["v\(versions[1].number)"])
            for hook in network.hooks { #expect(try network.programs(at: hook) == 1) }
            #expect(try Self.links(network, versions[1]) == links, "a link was made anew")
            #expect(node.revision > revision)

            #expect(try network.webAnswersFirst(), "the idle flow was lost")
            #expect(try network.policyIsInForce())
            let after = try node.packetsByReason()
            for (reason, count) in counted { #expect((after[reason]?.packets ?? 0) >= count.packets, "\(reason)") }
            #expect(try network.apply(node).changedAnything == false)
            #expect(
                node.otherVersions.flatMap(\.notCarried).allSatisfy {
                    $0.contains("zone") || ($0.hasPrefix("np_flow_sets: the field flow[") && $0.contains("packets"))
                })
        }
    }

    @Test(
        "tables of this version that are too small are taken over like those of another one; larger ones are used",
        arguments: [AttachmentStyle.tcx, .clsact])
    func smallTables(style: AttachmentStyle) throws {
        let own = UpgradeNetwork.Version.own
        let small = UpgradeNetwork.Version(try SecondVersion(.limits, number: own.number))
        try UpgradeNetwork.with(style) { network in
            #expect(try network.run(small).node.maps.endpoints.shape.capacity == 3)
            #expect(network.beginIdleFlow())
            // A proxy goes on through the agent's upgrade: it finds flows that are noted after it.
            let flows = try ProxiedFlows(folder: network.pins(own).folder)
            let (node, report) = try network.run(own)
            let ends = (ProxiedFlows.End(NodeImages.web, 4711), ProxiedFlows.End(NodeImages.client, 80))
            #expect(try flows.sides(client: ends.0, server: ends.1).client == nil)
            let proxied = try #require(node.maps.proxy?.proxied)
            var side = np_proxied_side()
            side.flags = UInt32(NP_PROXIED_REDIRECTS)
            side.endpoint = 7
            try proxied.set(
                np_proxied_key(
                    client: np_address(NodeImages.web), server: np_address(NodeImages.client),
                    client_port: UInt16(4711).bigEndian, server_port: UInt16(80).bigEndian, side: NP_EGRESS.rawValue),
                side)
            #expect(try flows.sides(client: ends.0, server: ends.1).client?.slot == 7)
            #expect(node.maps.endpoints.shape.capacity == Int(NP_MAX_ENDPOINTS))
            #expect(report.takenOver == ["v\(own.number)-1"])
            #expect(try network.versions() == ["v\(own.number)"])
            for hook in network.hooks { #expect(try network.programs(at: hook) == 1) }
            #expect(try network.webAnswersFirst())
        }
        try UpgradeNetwork.with(style) { network in
            try network.run(own)
            #expect(network.beginIdleFlow())
            let (node, report) = try network.run(small)
            #expect(node.maps.endpoints.shape.capacity == Int(NP_MAX_ENDPOINTS))
            #expect(report.takenOver == [])
            #expect(try network.webAnswersFirst())
            #expect(try network.policyIsInForce())
        }
    }

    @Test("a table of steps that has no slot for one of them is taken over")
    func missingStep() throws {
        try PrivateBPFFilesystem.with { files in
            try files.pins.create()
            let older = try BPFMap(
                Libbpf.createMap(type: .init(3), name: "np_steps", keySize: 4, valueSize: 4, capacity: 2, flags: 0),
                name: "np_steps")
            try Libbpf.pin(older.fd, "np_steps", at: "\(files.pins.folder)/np_steps")
            let node = try NodeDatapath.forTests(pins: files.pins)
            #expect(node.maps.steps.shape.capacity == Int(NP_STEP_COUNT.rawValue))
            #expect(try node.apply(try NodeImages.shop(), interfaces: [:]).takenOver.count == 1)
            #expect(try HookProbe(node: node).tcp(source: 7) == NP_REASON_ALLOWED)
        }
    }

    @Test(
        "an interface that no pod has any more is closed, not left to the other version",
        arguments: [AttachmentStyle.tcx, .clsact])
    func leftOver(style: AttachmentStyle) throws {
        let second = UpgradeNetwork.Version(try SecondVersion(.everything))
        try UpgradeNetwork.with(style) { network in
            try network.run(.own)
            #expect(try network.policyIsInForce())
            let node = try network.open(second)
            var image = try UpgradeNetwork.image()
            image.endpoints.removeAll { $0.name == "web" }
            #expect(try node.apply(image, interfaces: network.interfaces).takenOver.count == 1)
            #expect(try !network.policyIsInForce())
            for hook in network.hooks { #expect(try network.programs(at: hook) == 1) }
            // Its pod comes back.
            try network.apply(node)
            #expect(try network.policyIsInForce())
        }
    }

    @Test(
        "a hook that cannot be moved keeps its program and the next apply goes on; a flow that begins in between, judged by both, is not lost",
        arguments: [AttachmentStyle.tcx, .clsact])
    func failingMove(style: AttachmentStyle) throws {
        let second = UpgradeNetwork.Version(try SecondVersion(.everything))
        try UpgradeNetwork.with(style) { network in
            try network.run(.own)
            let node = try network.open(second)
            // The third hook, to web; a filter takes two calls.
            let fault = InjectedFault(
                style == .tcx ? .updateAttachment : .attach, call: style == .tcx ? 2 : 4, errno: .noMemory)
            let image = try UpgradeNetwork.image()
            let first = try InjectedFault.$current.withValue(fault) {
                try node.apply(image, interfaces: network.interfaces)
            }
            #expect(fault.fired)
            #expect(first.endpoints.filter { $0.failure != nil }.map(\.key.name) == ["web"])
            #expect(first.takenOver == [])
            #expect(try network.versions().count == 2)
            for hook in network.hooks { #expect(try network.programs(at: hook) == 1) }

            // The client's hook is the new version's and writes into the new map, web's writes into the old one.
            #expect(network.beginIdleFlow())
            #expect(try network.policyIsInForce())
            // As `apply` goes on, but without its copy before the hooks.
            let plan = try ApplyPlan(image, links: network.interfaces.mapValues { [$0] }, masters: [:], for: node)
            var report = ApplyReport()
            try node.attach(plan, &report)
            try node.finishTakeover(plan, &report)
            #expect(report.takenOver.count == 1)
            #expect(try network.webAnswersFirst(), "the flow that began in between was lost")
            #expect(try network.apply(node).changedAnything == false)
            #expect(try network.versions() == ["v\(second.number)"])
        }
    }

    @Test("a version whose process is running is not taken over")
    func running() throws {
        let second = UpgradeNetwork.Version(try SecondVersion(.endpoints))
        try UpgradeNetwork.with(.tcx) { network in
            let (node, _) = try network.run(.own)
            let error = #expect(throws: BPFError.self) { try network.open(second) }
            #expect(error?.operation == .lockInstance)
            #expect(error?.errnoName == "EAGAIN")
            withExtendedLifetime(node) {}
        }
    }

    @Test(
        "detach takes off and removes what any version left, without loading anything",
        arguments: [AttachmentStyle.tcx, .clsact])
    func detach(style: AttachmentStyle) throws {
        let second = UpgradeNetwork.Version(try SecondVersion(.everything))
        try UpgradeNetwork.with(style) { network in
            try network.run(second)
            let fault = InjectedFault(.loadObject, errno: .notPermitted)
            try InjectedFault.$current.withValue(fault) { try NodeDatapath.remove(try network.pins(.own)) }
            #expect(!fault.fired)
            for hook in network.hooks { #expect(try network.programs(at: hook) == 0) }
            #expect(try Libbpf.names(in: "\(network.root)/netpold") == [])
        }
    }

    /// The kernel's numbers of the pinned links.
    private static func links(_ network: UpgradeNetwork, _ version: UpgradeNetwork.Version) throws -> [Hook: UInt32] {
        let folder = try network.pins(version).links
        var links: [Hook: UInt32] = [:]
        for name in try Libbpf.names(in: folder) {
            guard let hook = Hook(pinName: name), let link = try Libbpf.openPin("\(folder)/\(name)") else { continue }
            links[hook] = try Libbpf.linkInfo(link.rawValue, name).id
        }
        return links
    }

    /// Whether a process is killed at each call, and not only at some of each kind: minutes, in `make soak`.
    private static let killsEverywhere = getenv("NETPOLD_KILL_EVERYWHERE") != nil

    /// The calls of a kind, of so many, at which a process is killed. They come in stages, of many that are alike: the pins of maps and those
    /// of links, tables row by row. Hooks change over by calls that differ with the style; what is left is shared out between the two.
    private static func kills(_ operation: BPFOperation, of count: Int, _ style: AttachmentStyle) -> [Int] {
        // Writes of tables are many and alike.
        if killsEverywhere { return Array(stride(from: 0, to: count, by: operation == .writeMap ? 5 : 1)) }
        let isOfHooks = [.updateAttachment, .attach, .detach].contains(operation)
        let places =
            isOfHooks ? [0, count / 2, count - 1] : style == .tcx ? [0, count - 1] : [count / 3, 2 * count / 3]
        return Set(places.filter { (0..<count).contains($0) }).sorted()
    }

    @Test(
        "a process that is killed at any point leaves one program at each hook, and either version goes on from there",
        arguments: [AttachmentStyle.tcx, .clsact])
    func killedAnywhere(style: AttachmentStyle) throws {
        let own = UpgradeNetwork.Version.own
        let second = UpgradeNetwork.Version(try SecondVersion(.everything))
        try UpgradeNetwork.with(style) { network in
            try network.run(own)
            // The only packet of this flow that the client ever sends.
            #expect(network.beginIdleFlow())
            var current = own
            func check(_ what: String) throws {
                for hook in network.hooks { #expect(try network.programs(at: hook) == 1, "\(what), \(hook)") }
                #expect(try network.webAnswersFirst(), "\(what): the idle flow was lost")
                #expect(try network.policyIsInForce(), "\(what)")
            }
            // Undisturbed.
            let counting = InjectedFault(.pin, call: .max, errno: .ioError)
            try InjectedFault.$current.withValue(counting) { _ = try network.run(second) }
            current = second
            try check("undisturbed")
            var kills = 0
            for operation in [
                BPFOperation.pin, .unpin, .createFolder, .updateAttachment, .attach, .detach, .writeMap,
                .waitForReaders,
            ] {
                let count = counting.calls[operation] ?? 0
                for call in Self.kills(operation, of: count, style) {
                    let target = current.number == own.number ? second : own
                    let what = "\(operation) \(call) of \(count)"
                    let fault = InjectedFault(operation, call: call, errno: .ioError, isFatal: true)
                    InjectedFault.$current.withValue(fault) { _ = try? network.run(target) }
                    // The other way it may take fewer calls.
                    guard fault.fired else {
                        current = target
                        continue
                    }
                    kills += 1
                    try check(what)
                    // The version that was killed, or the one before it.
                    let next = kills % 2 == 0 ? target : current
                    let (node, _) = try network.run(next)
                    #expect(node.attachments.hooks.count == 4)
                    current = next
                    #expect(try network.versions() == ["v\(current.number)"], "\(what)")
                    try check("after \(what)")
                }
            }
            #expect(kills > (Self.killsEverywhere ? 40 : 8), "\(kills)")
        }
    }
}
