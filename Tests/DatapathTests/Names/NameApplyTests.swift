import BPFEmit
import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Support
import Testing

@testable import Datapath

/// What an apply writes about names, and in which order it becomes true.
@Suite("names from image to image", .needsRoot, .serialized)
struct NameApplyTests {
    private static let learnt = IPAddress(ipv4: 0xc000_0207)

    /// Pods `web` (and `api`) with an egress policy: DNS names over UDP 53, addresses of lists of names on every port.
    static func image(
        dns: [FQDNSelector] = [], lists: [[FQDNSelector]] = [], names: UInt32 = 1, columns: [Int]? = nil,
        pods: [EndpointImage]? = nil
    ) throws -> NodeImage {
        var bits: [PolicyBits.Bit] = []
        if !dns.isEmpty {
            var bit = NodeImages.bit(0, l7: true, anyPeer: true, port: 53, protocol: .udp)
            bit.rule.l7 = .dns(dns.map { Located($0) })
            bit.rule.coversTCP = true
            bits.append(bit)
        }
        var found: [PolicyBits.Column] = []
        for (place, list) in lists.enumerated() {
            bits.append(NodeImages.bit(bits.count))
            found.append(
                .init(number: columns?[place] ?? place, list: NameList(list), words: [1 << UInt64(bits.count - 1)]))
        }
        let egress = try PolicyEmitter.emit(
            PolicyBits(
                direction: .egress, isolatedBy: [NodeImages.origin("isolation")], bits: bits, hostBit: nil, peers: [],
                columns: found, names: names))
        return try NodeImages.node(
            subjects: [NodeImages.subject(ingress: NodeImages.open(.ingress), egress: egress)], endpoints: pods)
    }

    /// The name set that the automaton in the kernel gives a name.
    private static func set(_ node: NodeDatapath, _ labels: [String]) throws -> UInt32 {
        let maps = try #require(node.maps.names)
        let number = try #require(try maps.revision.value(of: UInt32(0), initial: np_name_revision())).number
        var state = UInt32(NP_NAME_START)
        func step(_ class: NameClass) throws {
            let key = (number & 1) * UInt32(NP_MAX_NAME_STATES) + state
            let row = try #require(try maps.states.value(of: key, initial: np_name_state()))
            state = withUnsafeBytes(of: row.next) {
                UInt32($0.loadUnaligned(fromByteOffset: 2 * `class`.number, as: UInt16.self))
            }
        }
        for label in labels {
            for byte in label.utf8 { try step(NameClass(labelByte: byte)) }
            try step(.end)
        }
        let key = (number & 1) * UInt32(NP_MAX_NAME_STATES) + state
        return UInt32(try #require(try maps.states.value(of: key, initial: np_name_state())).set)
    }

    private static func rule(_ node: NodeDatapath, _ owner: UInt32, _ labels: [String]) throws -> np_name_rule? {
        let maps = try #require(node.maps.names)
        let number = try #require(try maps.revision.value(of: UInt32(0), initial: np_name_revision())).number
        return try maps.rules.value(
            of: np_name_rule_key(owner: owner, revision: number, set: try set(node, labels)), initial: np_name_rule())
    }

    private static func base(_ node: NodeDatapath) throws -> UInt32 {
        try #require(node.subjects["web"]?.egress.hits?.base)
    }

    static func columns(_ node: NodeDatapath, _ address: IPAddress, pod: String = "web") throws -> UInt32 {
        let maps = try #require(node.maps.names)
        let endpoint = try #require(node.endpoints[EndpointKey(namespace: "shop", name: pod)])
        let key = np_learnt_key(address: np_address(address), endpoint: endpoint.slot)
        guard let value = try maps.learnt.value(of: key, initial: np_learnt()), value.names == endpoint.value.names,
            value.names != 0
        else { return 0 }
        return value.columns
    }

    @Test("names satisfy the rules and columns that their patterns stand in, by the automaton in force")
    func tables() throws {
        let node = try NodeDatapath.forTests()
        _ = try node.apply(
            Self.image(dns: [.pattern("*.a.example")], lists: [[.name("x.a.example")], [.pattern("*.example")]]),
            links: [:])
        let base = try Self.base(node)
        let owner = UInt32(truncatingIfNeeded: NP_NAME_COLUMNS) | 1
        #expect(try Self.rule(node, base | UInt32(NP_NAME_QUERIES), ["x", "a", "example"])?.rules == 1)
        #expect(try Self.rule(node, owner, ["x", "a", "example"])?.columns == 0b01)
        #expect(try Self.rule(node, owner, ["y", "example"])?.columns == 0b10)
        #expect(try Self.rule(node, base | UInt32(NP_NAME_QUERIES), ["y", "example"]) == nil)
        let maps = try #require(node.maps.names)
        let kind = np_name_rule_key(owner: base, revision: 0, set: UInt32(truncatingIfNeeded: NP_NAME_SET_DNS))
        #expect(try maps.rules.value(of: kind, initial: np_name_rule())?.rules == 1)
        let web = try #require(node.endpoints[NodeImages.webKey])
        #expect(web.value.names == 1)
        #expect(web.value.readsNames)
        #expect(web.value.stateNeeds == StateNeeds(ingress: .always, egress: .always))
    }

    @Test("programs of an earlier process have their names until others are in their place, whatever patterns come")
    func earlierPrograms() throws {
        try PrivateBPFFilesystem.with { files in
            let lists: [[FQDNSelector]] = [[.name("x.a.example")]]
            var base: UInt32 = 0
            do {
                let node = try NodeDatapath.forTests(pins: files.pins)
                _ = try node.apply(Self.image(dns: [.pattern("*.a.example")], lists: lists), links: [:])
                base = try Self.base(node)
            }
            let owner = UInt32(truncatingIfNeeded: NP_NAME_COLUMNS) | 1
            func check(_ node: NodeDatapath) throws {
                #expect(try Self.rule(node, base | UInt32(NP_NAME_QUERIES), ["x", "a", "example"])?.rules == 1)
                #expect(try Self.rule(node, base | UInt32(NP_NAME_QUERIES), ["y", "a", "example"])?.rules == 1)
                #expect(try Self.rule(node, base | UInt32(NP_NAME_QUERIES), ["b", "example"]) == nil)
                #expect(try Self.rule(node, owner, ["x", "a", "example"])?.columns == 1)
            }
            // Killed behind the change of names, twice: programs have not changed places yet.
            for name in ["b.example", "c.example"] {
                let node = try NodeDatapath.forTests(pins: files.pins)
                try check(node)
                let fault = InjectedFault(.waitForReaders, errno: .ioError, isFatal: true)
                InjectedFault.$current.withValue(fault) {
                    _ = try? node.apply(Self.image(dns: [.name(name)], lists: lists), links: [:])
                }
                #expect(fault.fired)
                try check(node)
            }
            let node = try NodeDatapath.forTests(pins: files.pins)
            _ = try node.apply(Self.image(dns: [.name("b.example")], lists: lists), links: [:])
            #expect(try Self.rule(node, try Self.base(node) | UInt32(NP_NAME_QUERIES), ["b", "example"])?.rules == 1)
            #expect(try Self.rule(node, try Self.base(node) | UInt32(NP_NAME_QUERIES), ["x", "a", "example"]) == nil)
            let maps = try #require(node.maps.names)
            let entries = try maps.rules.entries(key: np_name_rule_key(), value: np_name_rule())
            #expect(
                entries.allSatisfy { [owner, try? Self.base(node)].contains($0.key.owner & ~UInt32(NP_NAME_QUERIES)) })
        }
    }

    @Test("a change of patterns goes to the other bank under the next number; what only old programs asked for goes")
    func revisions() throws {
        let node = try NodeDatapath.forTests()
        let maps = try #require(node.maps.names)
        func number() throws -> UInt32 {
            try maps.revision.value(of: UInt32(0), initial: np_name_revision())?.number ?? 0
        }
        _ = try node.apply(Self.image(dns: [.name("a.example")]), links: [:])
        let first = try number()
        #expect(try node.apply(Self.image(dns: [.name("a.example")]), links: [:]).changedAnything == false)
        #expect(try number() == first)
        _ = try node.apply(Self.image(dns: [.name("b.example")]), links: [:])
        // Both for as long as both programs ran, then what is left alone.
        #expect(try number() == first + 2)
        let base = try Self.base(node)
        #expect(try Self.rule(node, base | UInt32(NP_NAME_QUERIES), ["b", "example"])?.rules == 1)
        #expect(try Self.set(node, ["a", "example"]) == 0)
        let entries = try maps.rules.entries(key: np_name_rule_key(), value: np_name_rule())
        // One of them says which bits are of server names: none.
        #expect(entries.count == 3)
        #expect(entries.allSatisfy { $0.key.owner & ~UInt32(NP_NAME_QUERIES) == base })
        // Without names nothing is left.
        _ = try node.apply(Self.image(), links: [:])
        #expect(try maps.rules.entries(key: np_name_rule_key(), value: np_name_rule()).isEmpty)
        #expect(try #require(node.endpoints[NodeImages.webKey]).value.names == 0)
        #expect(try #require(node.endpoints[NodeImages.webKey]).value.readsNames == false)
    }

    @Test("a program gets no number by which the proxy still knows a flow of another one")
    func bases() throws {
        let node = try NodeDatapath.forTests()
        let proxied = try #require(node.maps.proxy?.proxied)
        _ = try node.apply(Self.image(dns: [.name("a.example")]), links: [:])
        let base = try Self.base(node)
        let key = np_proxied_key()
        var side = np_proxied_side()
        side.base = base
        try proxied.set(key, side)
        var later: [UInt32] = []
        for name in ["b.example", "c.example", "d.example", "e.example"] {
            _ = try node.apply(Self.image(dns: [.name(name)]), links: [:])
            later.append(try Self.base(node))
        }
        #expect(!later.contains(base))
        try proxied.remove(key)
        later = []
        for name in ["f.example", "g.example", "h.example"] {
            _ = try node.apply(Self.image(dns: [.name(name)]), links: [:])
            later.append(try Self.base(node))
        }
        #expect(later.contains(base))
    }

    @Test("columns are filled with what a pod has learnt before, and with no other pod's; of pods nothing is learnt")
    func history() throws {
        let node = try NodeDatapath.forTests()
        let end = MonotonicClock.seconds + 1000
        var looks = 0
        node.history = {
            looks += 1
            return { pod in
                pod.name == "web"
                    ? [LearntName(name: "a.example", addresses: [Self.learnt: end, NodeImages.client: end])] : []
            }
        }
        let pods = [
            NodeImages.endpoint("web", NodeImages.web), NodeImages.endpoint("api", NodeImages.stranger),
        ]
        _ = try node.apply(Self.image(pods: pods), links: [:])
        #expect(try Self.columns(node, Self.learnt) == 0)
        _ = try node.apply(Self.image(lists: [[.name("b.example")], [.name("a.example")]], pods: pods), links: [:])
        #expect(try Self.columns(node, Self.learnt) == 0b10)
        // Once before pods get their columns and once after, of both pods and both applies: it is not asked for each pod.
        #expect(looks <= 4)
        #expect(try Self.columns(node, Self.learnt, pod: "api") == 0)
        #expect(try Self.columns(node, NodeImages.client) == 0)
        #expect(try node.collectLearnt()[NodeImages.webKey]?.entries == 1)
        // Of all pods too.
        let everybody = UInt32(NP_MAX_ENDPOINTS)
        let names = try #require(node.maps.names)
        let all = try #require(try names.shares.value(of: everybody, initial: np_learnt_share()))
        #expect(all.inserted &- all.removed == 1)
    }

    @Test("where other pods fill the table, what a pod has learnt finds no room, is counted, and no change fails by it")
    func full() throws {
        let node = try NodeDatapath.forTests()
        let end = MonotonicClock.seconds + 1000
        node.history = { { _ in [LearntName(name: "a.example", addresses: [Self.learnt: end])] } }
        let names = try #require(node.maps.names)
        for number in 0..<UInt32(NP_MAX_LEARNT) {
            let address = np_address(IPAddress(ipv4: 0x0d00_0000 + number))
            try names.learnt.set(np_learnt_key(address: address, endpoint: 4000), np_learnt())
        }
        let pods = [NodeImages.endpoint("web", NodeImages.web)]
        _ = try node.apply(Self.image(lists: [[.name("a.example")]], pods: pods), links: [:])
        #expect(try Self.columns(node, Self.learnt) == 0)
        // Once when the pod gets its columns, and once more after.
        #expect(try #require(try node.collectLearnt()[NodeImages.webKey]).refused == 2)
        _ = try node.apply(Self.image(lists: [[.name("b.example")], [.name("a.example")]], pods: pods), links: [:])
        #expect(try Self.columns(node, Self.learnt) != 0)
    }

    @Test("under another numbering an old entry is nothing, and the slot of a pod that is gone has none")
    func numberings() throws {
        let node = try NodeDatapath.forTests()
        let end = MonotonicClock.seconds + 1000
        var known = [LearntName(name: "a.example", addresses: [Self.learnt: end])]
        node.history = { { _ in known } }
        _ = try node.apply(Self.image(lists: [[.name("a.example")]]), links: [:])
        #expect(try Self.columns(node, Self.learnt) == 1)
        known = []
        _ = try node.apply(Self.image(lists: [[.name("b.example")]], names: 2), links: [:])
        #expect(try #require(node.endpoints[NodeImages.webKey]).value.names == 2)
        #expect(try Self.columns(node, Self.learnt) == 0)
        _ = try node.collectLearnt()
        let maps = try #require(node.maps.names)
        #expect(try maps.learnt.entries(key: np_learnt_key(), value: np_learnt()).isEmpty)

        known = [LearntName(name: "b.example", addresses: [Self.learnt: end])]
        try node.learn(NodeImages.webKey, known)
        #expect(try Self.columns(node, Self.learnt) == 1)
        known = []
        _ = try node.apply(Self.image(lists: [[.name("b.example")]], names: 2, pods: []), links: [:])
        #expect(try maps.learnt.entries(key: np_learnt_key(), value: np_learnt()).isEmpty)
        #expect(try node.nextNameColumns >= 1)
    }

    @Test("expired entries go and are counted off, those that hold stay")
    func expiry() throws {
        let node = try NodeDatapath.forTests()
        let now = MonotonicClock.seconds
        let other = IPAddress(ipv4: 0xc000_0208)
        _ = try node.apply(Self.image(lists: [[.name("a.example")]]), links: [:])
        try node.learn(
            NodeImages.webKey, [LearntName(name: "a.example", addresses: [Self.learnt: now + 1000, other: now + 500])])
        let maps = try #require(node.maps.names)
        let slot = try #require(node.endpoints[NodeImages.webKey]).slot
        let key = np_learnt_key(address: np_address(other), endpoint: slot)
        var value = try #require(try maps.learnt.value(of: key, initial: np_learnt()))
        value.expires.0 = 1
        try maps.learnt.set(key, value)
        #expect(try node.collectLearnt()[NodeImages.webKey] == LearntUse(entries: 1, refused: 0, unlearnt: 0))
        let share = try #require(try maps.shares.value(of: slot, initial: np_learnt_share()))
        #expect(share.inserted - share.removed == 1)
        #expect(try maps.learnt.value(of: key, initial: np_learnt()) == nil)
        #expect(try Self.columns(node, Self.learnt) == 1)
    }

    @Test("the proxy's rules are told before programs are swapped, old and new, and after without those that are gone")
    func rules() throws {
        let node = try NodeDatapath.forTests()
        var told: [[ProgramRules]] = []
        node.onRules = { rules, _ in told.append(rules) }
        _ = try node.apply(Self.image(dns: [.name("a.example")]), links: [:])
        let first = try Self.base(node)
        #expect(told.map { $0.map(\.base) } == [[first]])
        _ = try node.apply(Self.image(dns: [.name("a.example")]), links: [:])
        #expect(told.count == 1)
        _ = try node.apply(Self.image(dns: [.name("b.example")]), links: [:])
        let second = try Self.base(node)
        #expect(told.dropFirst().map { Set($0.map(\.base)) } == [[first, second], [second]])
        #expect(told.last?.first?.rules.map(\.bit) == [0])
        #expect(told.last?.first?.direction == .egress)
    }

    @Test("patterns over the automaton's budget: with a proxy queries under them go over TCP; without, they are denied")
    func overBudget() throws {
        // 70 names of 250 bytes, a state each byte.
        let long = (0..<70).map { number in
            FQDNSelector.name((0..<5).map { "x\(number)-\($0)".padding(49) }.joined(separator: ".") + ".org")
        }
        let image = try Self.image(dns: [.pattern("*.far.example")] + long, lists: [[.pattern("*.cdn.example")]])
        for hasProxy in [false, true] {
            let node = try NodeDatapath.forTests()
            node.names?.hasProxy = hasProxy
            let report = try node.apply(image, links: [:])
            for text in ["*.far.example", "*.cdn.example"] {
                #expect(report.patternsLeftOut.contains { $0.hasPrefix(text) })
            }
            let maps = try #require(node.maps.names)
            func bits(_ set: UInt32) throws -> UInt64? {
                try maps.rules.value(
                    of: np_name_rule_key(owner: Self.base(node), revision: 0, set: set), initial: np_name_rule())?.rules
            }
            #expect(try bits(UInt32(NP_NAME_SET_UNKNOWN)) == (hasProxy ? 1 : nil))
            #expect(try bits(UInt32(NP_NAME_SET_UNLEARNT)) == (hasProxy ? 1 : nil))
            #expect(report.patternsDenied == (hasProxy ? [] : report.patternsLeftOut.sorted()))
            _ = try node.apply(Self.image(dns: [.pattern("*.far.example")]), links: [:])
            #expect(try bits(UInt32(NP_NAME_SET_UNKNOWN)) == nil)
        }
    }

    @Test("with rules the proxy is told whose addresses are, of pods that come, go and take another's address")
    func addresses() throws {
        let node = try NodeDatapath.forTests()
        var told: [[IPAddress: EndpointKey]] = []
        node.onRules = { told.append($1) }
        func pod(_ name: String, _ address: IPAddress) -> EndpointImage {
            EndpointImage(
                namespace: "shop", name: name, uid: name, addresses: [address], subject: "web",
                identity: NodeImages.webID)
        }
        func apply(_ dns: [FQDNSelector], _ pods: [EndpointImage]) throws -> [[IPAddress: String]] {
            told = []
            _ = try node.apply(Self.image(dns: dns, pods: pods), links: [:])
            return told.map { $0.mapValues(\.description) }
        }
        let (one, two) = (NodeImages.web, NodeImages.client)
        // Nobody asks without rules.
        #expect(try apply([], [pod("a", one)]) == [])
        #expect(try apply([.name("a.example")], [pod("a", one)]) == [[one: "shop/a"]])
        #expect(try apply([.name("a.example")], [pod("a", one)]) == [])
        // Known before its endpoint is.
        #expect(try apply([.name("a.example")], [pod("a", one), pod("b", two)]) == [[one: "shop/a", two: "shop/b"]])
        // Nobody's until it has changed hands; one that goes is known until it has.
        #expect(try apply([.name("a.example")], [pod("c", one)]) == [[two: "shop/b"], [one: "shop/c"]])
    }

    @Test("a record of a name is read as it is written; a dot in a label is no end of one")
    func records() {
        var event = np_name_event()
        event.kind = UInt8(NP_NAME_LEARNT.rawValue)
        event.endpoint = 7
        event.expires = 99
        event.count = 200
        event.address.0 = np_address(Self.learnt)
        let name: [UInt8] = [3] + "A.b".utf8 + [7] + "example".utf8 + [0]
        withUnsafeMutableBytes(of: &event.name) { $0.copyBytes(from: name) }
        let record = withUnsafeBytes(of: event) { NameRecord($0) }
        #expect(record?.name == "a\\046b.example")
        #expect(record?.slot == 7)
        #expect(record?.addresses.count == Int(NP_NAME_EVENT_ADDRESSES))
        #expect(record?.addresses.first == Self.learnt)
        event.kind = 99
        #expect(withUnsafeBytes(of: event) { NameRecord($0) } == nil)
        #expect(withUnsafeBytes(of: event) { NameRecord(UnsafeRawBufferPointer(rebasing: $0.dropLast())) } == nil)
        #expect(NameRecord.text([0]) == "")
        #expect(NameRecord.text([63] + Array(repeating: 0x61, count: 3)) == "aaa")
    }
}

extension String {
    /// Filled up with `x`.
    fileprivate func padding(_ length: Int) -> String {
        self + String(repeating: "x", count: max(0, length - utf8.count))
    }
}
