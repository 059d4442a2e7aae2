import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// Addresses that are more than one end, and ends behind the node's address.
@Suite("Shared and masqueraded addresses")
struct SharedAddressTests {
    private func view(networks: String...) -> ClusterView {
        var objects = ClusterObjects()
        objects.nodes = [
            Node(metadata: ObjectMeta(name: "node-1"), addresses: [IPAddress(parsing: "10.9.0.1")].compactMap(\.self))
        ]
        objects.pods = [pod("shop/web", "app=web", ["10.0.0.1"]), pod("shop/odd", "app=odd", ["10.9.0.255"])]
        objects.endpointSlices = [
            EndpointSlice(
                metadata: ObjectMeta(name: "kubernetes", namespace: "default"), serviceName: "kubernetes",
                addresses: [IPAddress(parsing: "10.9.0.1")].compactMap(\.self))
        ]
        objects.localNetworks = networks.compactMap { IPPrefix(parsing: $0) }
        return ClusterView(objects, localNode: "node-1")
    }

    private func others(_ view: ClusterView, _ text: String, seenFrom node: String = "node-1") throws -> Int {
        let address = try #require(IPAddress(parsing: text))
        return view.remoteEnd(address: address, seenFrom: node).others.count
    }

    @Test(
        "the node answers at constants for everybody, and at what its networks give for itself",
        arguments: [
            ("255.255.255.255", true), ("224.0.0.0", true), ("224.0.0.255", true), ("224.0.1.0", true),
            ("223.255.255.255", false), ("239.255.255.255", true), ("240.0.0.0", false),
            ("ff02::1", true),
            ("ff01::1", true), ("ff12::1", true), ("ff05::2", true), ("ff00::1", true), ("ff0e::1", true),
            ("feff::1", false), ("8.8.8.8", false),
        ])
    func constants(text: String, isShared: Bool) throws {
        #expect(try others(view(), text) == (isShared ? 1 : 0))
        #expect(try others(view(), text, seenFrom: "node-2") == (isShared ? 1 : 0))
    }

    @Test(
        "broadcast of IPv4 networks up to /30, anycast of IPv6 networks up to /126",
        arguments: [
            ("10.8.0.0/24", "10.8.0.255", true), ("10.8.0.0/24", "10.8.0.0", false),
            ("10.8.0.0/24", "10.8.0.254", false),
            ("10.8.0.0/30", "10.8.0.3", true), ("10.8.0.2/31", "10.8.0.3", false), ("10.8.0.3/32", "10.8.0.3", false),
            ("0.0.0.0/0", "10.8.0.255", false), ("fd08::/64", "fd08::", true), ("fd08::/64", "fd08::1", false),
            ("fd08::4/126", "fd08::4", true), ("fd08::4/127", "fd08::4", false), ("fd08::4/128", "fd08::4", false),
        ])
    func networks(network: String, address: String, isShared: Bool) throws {
        #expect(try others(view(networks: network), address) == (isShared ? 1 : 0))
        #expect(try others(view(networks: network), address, seenFrom: "node-2") == 0)
    }

    @Test("a pod whose address another claims too is no peer of an allow, by name as by address")
    func contested() throws {
        var objects = decode(
            networkPolicy(
                "podSelector: {matchLabels: {app: db}}\ningress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]")
        ).objects
        objects.pods = [
            pod("shop/web", "app=web", ["10.0.0.1"]), pod("shop/db", "app=db", ["10.0.0.2"]),
            pod("shop/two", "app=web", ["10.0.0.3", "fd00::3"]),
        ]
        func isAllowed(_ from: String) throws -> Bool {
            let end = try #require(FlowEnd(parsing: from))
            let flow = Flow(from: end, to: .pod(namespace: "shop", name: "db"), protocol: .tcp, port: 1)
            return try evaluator(objects).decide(flow).verdict != .deny
        }
        #expect(try isAllowed("shop/web") && isAllowed("shop/two"))
        objects.pods += [pod("shop/late", "app=late", ["10.0.0.1"]), pod("shop/six", "app=six", ["fd00::3"])]
        for end in ["shop/web", "shop/late", "ip:10.0.0.1"] { #expect(try !isAllowed(end), "\(end)") }
        // Its other address is its own.
        #expect(try isAllowed("shop/two"))
    }

    @Test(
        "of a link-local IPv6 address nobody says whose it is",
        arguments: [
            ("fe80::9", true), ("febf:ffff::1", true), ("fec0::1", false), ("fe7f::1", false),
            ("169.254.169.254", false),
        ])
    func linkLocal(text: String, isContested: Bool) throws {
        let end = view(networks: "10.8.0.0/24").remoteEnd(address: try #require(IPAddress(parsing: text)))
        #expect(end.kind == .outside && end.others.map(\.kind) == (isContested ? [.contested] : []))
    }

    @Test("an address that somebody owns is his alone")
    func owned() throws {
        #expect(try others(view(networks: "10.9.0.0/24"), "10.9.0.255") == 0)
    }

    @Test("who is behind the node's address is outside, and no API server")
    func masqueraded() throws {
        let view = view()
        let address = try #require(IPAddress(parsing: "10.9.0.1"))
        #expect(view.remoteEnd(address: address).labels.reserved == ["host", "kube-apiserver"])
        let end = view.remoteEnd(masqueradedAs: address)
        #expect(end.labels.reserved == ["world", "world-ipv4"] && end.kind == .outside && end.isMasqueraded)
        let written = try #require(FlowEnd(parsing: "masqueraded:10.9.0.1"))
        #expect(written == .masqueraded(address) && "\(written)" == "masqueraded:10.9.0.1")
        #expect(FlowEnd(parsing: "masqueraded:web") == nil)
        let flow = Flow(from: written, to: .pod(namespace: "shop", name: "web"), protocol: .tcp, port: 80)
        #expect(try view.remote(of: view.resolve(flow), .ingress) == end)
        let six = Flow(
            from: .masqueraded(try #require(IPAddress(parsing: "fd09::1"))), to: flow.to, protocol: .icmp, port: 8)
        #expect(throws: FlowError.mixedFamilies) { try view.resolve(six) }
    }
}
