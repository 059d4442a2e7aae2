import BPFEmit
import CNetpoldABI
import Glibc
import NetpoldTestSupport
import Testing

@testable import Datapath

@Suite("another version's instance", .needsRoot, .serialized)
struct UpgradeTests {
    /// Whether the second version comes after this one.
    enum Way: String, CaseIterable { case upgrade, downgrade }

    private static func versions(_ change: SecondVersion.Change, _ way: Way) throws -> [UpgradeNetwork.Version] {
        let both = [UpgradeNetwork.Version.own, .init(try SecondVersion(change))]
        return way == .upgrade ? both : both.reversed()
    }

    private static let runs = SecondVersion.Change.allCases.flatMap { change in
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
                    $0.contains("zone") || $0.contains("np_flows: the field packets")
                })
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
            var kills = 0
            for operation in [
                BPFOperation.pin, .unpin, .createFolder, .updateAttachment, .attach, .detach, .writeMap,
                .waitForReaders,
            ] {
                var call = 0
                while true {
                    let target = current.number == own.number ? second : own
                    let fault = InjectedFault(operation, call: call, errno: .ioError, isFatal: true)
                    InjectedFault.$current.withValue(fault) { _ = try? network.run(target) }
                    if fault.fired {
                        kills += 1
                        for hook in network.hooks {
                            #expect(try network.programs(at: hook) == 1, "\(operation) \(call), \(hook)")
                        }
                        #expect(try network.webAnswersFirst(), "\(operation) \(call): the idle flow was lost")
                        #expect(try network.policyIsInForce(), "\(operation) \(call)")
                        // The version that was killed, or the one before it.
                        let next = (call / 2) % 2 == 0 ? target : current
                        let (node, _) = try network.run(next)
                        #expect(node.attachments.hooks.count == 4)
                        current = next
                    } else {
                        current = target
                    }
                    #expect(try network.versions() == ["v\(current.number)"], "\(operation) \(call)")
                    for hook in network.hooks {
                        #expect(try network.programs(at: hook) == 1, "\(operation) \(call), \(hook)")
                    }
                    #expect(try network.webAnswersFirst(), "\(operation) \(call): the idle flow was lost")
                    #expect(try network.policyIsInForce(), "\(operation) \(call)")
                    if !fault.fired { break }
                    // Writes of tables are many and alike.
                    call += operation == .writeMap ? 5 : 1
                }
            }
            #expect(kills > 40, "\(kills)")
        }
    }
}
