import BPFEmit
import Foundation
import LabKit
import NetTypes
import PolicyAPI
import Testing

@testable import Datapath

@Suite("host scanner", .needsRoot, .serialized)
struct HostScannerTests {
    @Test("finds each pod's namespace, what it shows, the interface that leads there and the routes over it")
    func findsPods() throws {
        try ScannedNetwork.with(pods: 3) { folder, network, layout in
            let evidence = try network.node.run { try ScannedNetwork.look(folder) }
            #expect(evidence.problems == [])
            #expect(evidence.addresses.contains(IPAddress(ipv4: 0xc0a8_4d01)))
            let links = evidence.links.filter { $0.namespace != nil }
            #expect(links.map(\.name) == ["np1", "np2", "np3"])
            #expect(evidence.namespaces.map(\.name).sorted() == ["pod1", "pod2", "pod3"])
            for (link, attachment) in zip(links, layout.attachments) {
                let namespace = try #require(evidence.namespaces.first { $0.inode == link.namespace })
                #expect(namespace.name == attachment.name)
                #expect(namespace.path == "\(folder)/pods/\(attachment.name)")
                #expect(namespace.isMounted)
                #expect(namespace.failure == nil)
                #expect(namespace.interfaces.map(\.name) == ["eth0"])
                #expect(namespace.interfaces.map(\.reach) == [.node(ifindex: link.ifindex)])
                #expect(namespace.interfaces.map(\.addresses) == [attachment.addresses.sorted()])
                let routed = evidence.routes.filter { $0.ifindex == link.ifindex }.map(\.address)
                #expect(routed.sorted() == attachment.addresses.sorted())
            }
        }
    }

    @Test("a veth between two other namespaces is not taken for one of ours")
    func ignoresForeignPairs() throws {
        try ScannedNetwork.with(pods: 1) { folder, _, _ in
            let evidence = try ScannedNetwork.look(folder)
            #expect(evidence.namespaces.map(\.interfaces.count) == [1])
            #expect(evidence.namespaces.flatMap(\.interfaces).map(\.reach) == [.inside])
            #expect(!evidence.links.contains { $0.namespace == evidence.namespaces[0].inode })
        }
    }

    @Test("a folder that is not there is empty; a file that stands for no namespace is a problem")
    func strangeFolders() throws {
        try ScannedNetwork.with(pods: 1) { folder, network, _ in
            let missing = try network.node.run {
                try HostScanner(.init(namespaces: "/nowhere", cniCaches: ["/nowhere"], processes: "\(folder)/proc"))
                    .evidence()
            }
            #expect(missing.namespaces == [])
            #expect(missing.problems == [])
            #expect(missing.links.first { $0.name == "np1" }.map(\.namespace) == .some(nil))
            try "".write(toFile: "\(folder)/pods/left-over", atomically: false, encoding: .utf8)
            let evidence = try network.node.run { try ScannedNetwork.look(folder) }
            #expect(evidence.namespaces.map(\.name) == ["pod1"])
            #expect(evidence.problems.map(\.kind) == [.ignored])
            #expect(evidence.problems.first?.subject == "\(folder)/pods/left-over")
        }
    }

    @Test("a note of the runtime finds its namespace by the path, and a broken one is a problem and nothing else")
    func notes() throws {
        try ScannedNetwork.with(pods: 1) { folder, network, _ in
            let cache = "\(folder)/results"
            try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
            try """
            {"kind":"cniCacheV1","containerId":"0123456789abcdef","ifName":"eth0","networkName":"net",
             "netns":"\(folder)/pods/pod1",
             "cniArgs":[["K8S_POD_NAMESPACE","shop"],["K8S_POD_NAME","web"],["K8S_POD_UID","u-web"]],
             "result":{"cniVersion":"1.0.0","interfaces":[{"name":"np1"},{"name":"eth0","sandbox":"/x"}],
                       "ips":[{"address":"10.244.0.1/24","interface":1}]}}
            """.write(toFile: "\(cache)/net-0123456789abcdef-eth0", atomically: false, encoding: .utf8)
            try "{".write(toFile: "\(cache)/net-ffff-eth0", atomically: false, encoding: .utf8)
            let evidence = try network.node.run { try ScannedNetwork.look(folder, cniCaches: [cache]) }
            let note = try #require(evidence.attachments.first)
            #expect(evidence.attachments.count == 1)
            #expect(note.pod == PodReference(namespace: "shop", name: "web", uid: "u-web"))
            #expect(note.namespace == evidence.namespaces.first?.inode)
            #expect(note.hostInterfaces.map(\.name) == ["np1"])
            #expect(note.addresses == [IPAddress(ipv4: 0x0af4_0001)])
            #expect(evidence.problems.map(\.kind) == [.ignored])
        }
    }

    @Test(
        "an address that a local route gives the host is the host's, at once; of a whole prefix it is said that it is not"
    )
    func localRoutes() throws {
        try ScannedNetwork.with(pods: 0) { folder, network, _ in
            let monitor = try network.node.run { try LinkMonitor() }
            let single = ["172.30.0.77/32", "fd30::77/128"].compactMap { IPPrefix(parsing: $0) }
            let wide = try #require(IPPrefix(parsing: "192.0.2.0/24"))
            let before = try network.node.run { try ScannedNetwork.look(folder) }
            #expect(before.problems == [] && !before.addresses.contains { $0 == single[0].address })
            for prefix in single + [wide] {
                _ = monitor.drain()
                try network.node.run {
                    let socket = try NetlinkSocket()
                    try socket.addRoute(
                        RouteSpec(
                            prefix, .local(try socket.link(named: "lo").index), table: 255))
                }
                #expect(monitor.drain(), "\(prefix)")
            }
            let evidence = try network.node.run { try ScannedNetwork.look(folder) }
            #expect(single.allSatisfy { evidence.addresses.contains($0.address) })
            #expect(
                evidence.addresses == evidence.addresses.sorted()
                    && Set(evidence.addresses).isSuperset(of: before.addresses))
            #expect(evidence.problems.map(\.kind) == [.ignored] && evidence.problems.map(\.subject) == ["192.0.2.0/24"])
        }
    }

    @Test("the monitor speaks up when an address appears, and only then")
    func monitorSeesAddresses() throws {
        try ScannedNetwork.with(pods: 0) { _, network, _ in
            let monitor = try network.node.run { try LinkMonitor() }
            #expect(!monitor.drain())
            try network.node.run {
                let socket = try NetlinkSocket()
                try socket.addAddress(IPAddress(ipv4: 0x0a01_0203), to: try socket.link(named: "lo").index)
            }
            #expect(monitor.drain())
            #expect(!monitor.drain())
        }
    }
}
