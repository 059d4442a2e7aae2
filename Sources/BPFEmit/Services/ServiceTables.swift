import CNetpoldABI
public import NetTypes
public import PolicyIR

/// What the maps of Services hold, and the way from there to other frontends: pure, so that the dry run prints what the kernel
/// gets. np_services, np_backends, np_maglev and np_backend_ends follow from it.
///
/// - A Maglev range in use is never written: frontends go to a new one by one write each.
/// - A slot of np_backends is one backend of one Service port. It becomes unusable when the backend leaves that Service, even if other
///   Services still have it. The slot stays while something may go there, and some time after: flows and affinities remember it. When
///   it gets another backend its generation is counted up.
/// - An end stays in np_backend_ends for as long as a flow to it may live (`linger`): without it answers would come back
///   untranslated.
public struct ServiceTables: Sendable {
    /// A backend with its protocol: key of np_backend_ends.
    public struct End: Hashable, Comparable, Sendable {
        /// Address and port.
        public var backend: ServiceBackend
        /// TCP, UDP or SCTP.
        public var `protocol`: L4Protocol

        /// An end.
        public init(_ backend: ServiceBackend, _ protocol: L4Protocol) {
            self.backend = backend
            self.protocol = `protocol`
        }

        /// By address, port, protocol.
        public static func < (left: End, right: End) -> Bool {
            left.backend == right.backend ? left.protocol < right.protocol : left.backend < right.backend
        }
    }

    /// A value of np_backends.
    public struct Slot: Hashable, Sendable {
        /// Its index.
        public var number: UInt32
        /// Where packets go.
        public var end: End
        /// 1 to 65535, another one each time the slot is used again. 0 is what flows remember that do not know.
        public var generation: UInt32
        /// The number of the port of the Service.
        public var service: UInt32
        /// Whether it may be chosen.
        public var isUsable: Bool

        /// A value.
        public init(number: UInt32, end: End, generation: UInt32, service: UInt32, isUsable: Bool) {
            self.number = number
            self.end = end
            self.generation = generation
            self.service = service
            self.isUsable = isUsable
        }
    }

    /// A value of np_services.
    public struct Entry: Hashable, Sendable {
        /// First entry in np_maglev.
        public var maglev: UInt32
        /// How many; 0: no endpoint may be used.
        public var size: UInt32
        /// What affinity is remembered under.
        public var id: UInt32
        /// Seconds of affinity; 0: none.
        public var affinity: UInt32

        /// An entry.
        public init(maglev: UInt32, size: UInt32, id: UInt32, affinity: UInt32) {
            self.maglev = maglev
            self.size = size
            self.id = id
            self.affinity = affinity
        }
    }

    /// How long an end stays after its last use, seconds: as long as a silent TCP connection is remembered.
    public static let linger: UInt64 = 8000

    /// A port of a Service. A backend has a slot for each that leads there.
    struct Port: Hashable, Sendable {
        var service: ServiceName
        var name: String
    }

    /// Which backend of which port of a Service a slot is for.
    fileprivate struct Place: Hashable, Comparable, Sendable {
        var service: UInt32
        var end: End

        static func < (left: Place, right: Place) -> Bool {
            left.end == right.end ? left.service < right.service : left.end < right.end
        }
    }

    /// Frontends that share a table.
    struct Content: Hashable, Sendable {
        var service: UInt32
        var `protocol`: L4Protocol
        /// Sorted.
        var backends: [ServiceBackend]
    }

    struct Range: Sendable {
        var run: ServiceRanges.Run
        var users: Int
    }

    /// What one affinity is for.
    struct Group: Hashable, Sendable {
        var service: ServiceName
        var portName: String
        var `protocol`: L4Protocol
        var isIPv4: Bool
        var kind: ServiceFrontend.Kind
        /// Ports of nodes may have other endpoints at each.
        var node: IPAddress?
    }

    private let limits: Limits
    /// np_services, and which table each entry reads.
    public private(set) var entries: [ServiceFrontend.Key: Entry] = [:]
    private var contents: [ServiceFrontend.Key: Content] = [:]
    private var ranges: [Content: Range] = [:]
    /// Runs of entries that were found in the kernel and are nobody's table as this version makes it.
    private var strays: [ServiceFrontend.Key: ServiceRanges.Run] = [:]
    private var space: ServiceRanges
    /// np_backends.
    private var slots: [Place: Slot] = [:]
    /// Since when slots are not usable.
    private var idleSlots: [Place: UInt64] = [:]
    /// Numbers of ports of Services.
    private var ports: [Port: UInt32] = [:]
    /// Those numbers.
    private var portNumbers: Set<UInt32> = []
    /// Those that were found in the kernel, by their frontends: whose they are is not known before these come.
    private var foundPorts: [ServiceFrontend.Key: UInt32] = [:]
    private var nextPort: UInt32 = 1
    private var generations: [UInt32: UInt32] = [:]
    private var freeSlots: [UInt32] = []
    /// Those that tables which were replaced may still name.
    private var leavingSlots: [UInt32] = []
    private var nextSlot: UInt32 = 0
    /// np_backend_ends: how many frontends have the end, and since when none.
    private var ends: [End: (count: UInt32, idleSince: UInt64)] = [:]
    /// Those that come with the change that is being made.
    private var newEnds: Set<End> = []
    private var ids: [Group: UInt32] = [:]
    private var nextID: UInt32 = 1

    /// Tables of empty maps.
    public init(limits: Limits = Limits()) {
        self.limits = limits
        space = ServiceRanges(capacity: limits.maglev)
    }

    /// Tables as they are found in the maps: whatever they hold goes on as it is until the frontends say otherwise.
    ///
    /// - Parameters:
    ///   - entries: np_services.
    ///   - slots: np_backends, those that have been used.
    ///   - maglev: np_maglev, from its first entry.
    ///   - ends: np_backend_ends.
    ///   - now: seconds of a clock that never goes back.
    ///   - limits: what the maps can hold.
    public init(
        entries: [ServiceFrontend.Key: Entry], slots: [Slot], maglev: [UInt32], ends: [End], now: UInt64,
        limits: Limits = Limits()
    ) {
        self.init(limits: limits)
        var byNumber: [UInt32: Place] = [:]
        let known = Set(ends)
        // Of two slots of one backend the other one has been let go of.
        for slot in slots.sorted(by: { ($0.isUsable ? 0 : 1, $0.number) < ($1.isUsable ? 0 : 1, $1.number) }) {
            generations[slot.number] = slot.generation
            nextSlot = max(nextSlot, slot.number + 1)
            nextPort = max(nextPort, slot.service &+ 1)
            // What was let go of keeps its generation alone.
            let place = Place(service: slot.service, end: slot.end)
            guard slot.isUsable || known.contains(slot.end), self.slots[place] == nil else { continue }
            self.slots[place] = slot
            if !slot.isUsable { idleSlots[place] = now }
            byNumber[slot.number] = place
        }
        freeSlots = (0..<nextSlot).reversed().filter { byNumber[$0] == nil }
        for end in ends { self.ends[end] = (0, now) }
        self.entries = entries
        nextID = (entries.values.map(\.id).max() ?? 0) &+ 1
        for (key, entry) in entries.sorted(by: { $0.key < $1.key }) where entry.size > 0 {
            let run = ServiceRanges.Run(first: entry.maglev, count: entry.size)
            let isInside = Int(entry.maglev) + Int(entry.size) <= maglev.count
            let table = isInside ? Array(maglev[Int(run.first)..<Int(run.first) + Int(run.count)]) : []
            let found = Set(table.compactMap { byNumber[$0] })
            // Of one port of a Service, or of none that this version would make.
            let service = found.first?.service ?? 0
            if found.allSatisfy({ $0.service == service }) { foundPorts[key] = service }
            let content = Content(
                service: service, protocol: key.protocol, backends: found.map(\.end.backend).sorted())
            if var known = ranges[content], known.run == run {
                known.users += 1
                ranges[content] = known
                contents[key] = content
            } else if ranges[content] == nil, isInside, self.table(content, size: table.count) == table,
                space.adopt(run)
            {
                ranges[content] = Range(run: run, users: 1)
                contents[key] = content
            } else {
                // Read by this entry until that gets another table; kept from being written by whoever else has it.
                _ = space.adopt(run)
                strays[key] = run
            }
        }
    }

    /// The slots of a table, `nil` if a backend has none.
    private func table(_ content: Content, size: Int) -> [UInt32]? {
        let numbers = content.backends.compactMap { slots[content.place($0)]?.number }
        guard numbers.count == content.backends.count, !numbers.isEmpty else { return nil }
        return MaglevTable.entries(content.backends, size: size).map { numbers[$0] }
    }

    /// np_backends, by number.
    public var usedSlots: [Slot] { slots.values.sorted { $0.number < $1.number } }

    /// np_backend_ends, sorted.
    public var knownEnds: [End] { ends.keys.sorted() }

    /// Entries of np_maglev in use.
    public var maglevUsed: Int { space.used }

    /// What a frontend's entries of np_maglev hold; empty where it has none.
    public func table(of key: ServiceFrontend.Key) -> [UInt32] {
        guard let content = contents[key], let range = ranges[content] else { return [] }
        return table(content, size: Int(range.run.count)) ?? []
    }

    /// Goes to other frontends.
    ///
    /// - Parameters:
    ///   - frontends: all of them, each key once.
    ///   - now: seconds of a clock that never goes back.
    /// - Returns: what is to be written, in that order. Call `released` when no program runs any more that ran at the end of it.
    public mutating func change(to frontends: [ServiceFrontend], now: UInt64) -> Change {
        var change = Change()
        var wanted: [ServiceFrontend.Key: ServiceFrontend] = [:]
        let kept = frontends.count <= limits.frontends ? frontends : fitting(frontends, &change)
        for frontend in kept { wanted[frontend.key] = frontend }
        for key in entries.keys.sorted() where wanted[key] == nil {
            change.removals.append(key)
            entries[key] = nil
            leave(key)
        }
        for frontend in wanted.values.sorted(by: { $0.key < $1.key }) { set(frontend, &change) }
        foundPorts = [:]
        newEnds = []
        let left = wanted.values.filter { entries[$0.key] != nil }
        settleSlots(left, now, &change)
        settleEnds(left, now, &change)
        return change
    }

    /// Ends that the next change lets go of, unless `keep` says that flows still have them.
    ///
    /// - Parameter now: seconds of a clock that never goes back.
    /// - Returns: those that no frontend has had for as long as silent connections are remembered.
    public func idleEnds(now: UInt64) -> Set<End> {
        Set(
            ends.filter { $0.value.count == 0 && now - min(now, $0.value.idleSince) >= ServiceTables.linger }.map(\.key)
        )
    }

    /// Keeps ends that flows still have for as long as if their last frontend had just gone: a connection may go on for days.
    public mutating func keep(_ inUse: Set<End>, now: UInt64) {
        for end in inUse where ends[end]?.count == 0 { ends[end]?.idleSince = now }
    }

    /// No program reads what was replaced before: its entries of np_maglev and slots may be used again.
    public mutating func released() {
        space.releaseLeaving()
        freeSlots += leavingSlots
        leavingSlots = []
    }

    /// The most important frontends, as many as fit: of other nodes' ports some are left to those nodes.
    private func fitting(_ frontends: [ServiceFrontend], _ change: inout Change) -> [ServiceFrontend] {
        let order = ServiceFrontend.Kind.allCases
        let sorted = frontends.sorted { left, right in
            let (one, two) = (order.firstIndex(of: left.kind) ?? 0, order.firstIndex(of: right.kind) ?? 0)
            return one == two ? left.key < right.key : one < two
        }
        change.leftOut += sorted.dropFirst(limits.frontends).map(\.key)
        return Array(sorted.prefix(limits.frontends))
    }

    private mutating func set(_ frontend: ServiceFrontend, _ change: inout Change) {
        let key = frontend.key
        let content = Content(
            service: number(of: frontend), protocol: frontend.protocol, backends: frontend.backends)
        var run = ServiceRanges.Run(first: 0, count: 0)
        if !frontend.backends.isEmpty {
            if contents[key] != content {
                if let found = range(of: content, &change) {
                    leave(key)
                    contents[key] = content
                    ranges[content]?.users += 1
                    run = found
                } else {
                    // A part of its endpoints would be wrong, and without an entry policies would see the Service's address, by which
                    // whoever may not reach the endpoints would reach them. So it is as if it had none: refused.
                    change.leftOut.append(key)
                    leave(key)
                }
            } else {
                run = ranges[content]?.run ?? run
            }
        } else {
            leave(key)
        }
        let entry = Entry(
            maglev: run.first, size: run.count, id: id(of: frontend), affinity: frontend.affinitySeconds)
        if entries[key] == entry { return }
        entries[key] = entry
        change.upserts.append((key, entry))
    }

    /// The number of a frontend's port: the one that it has in the kernel, unless that is another Service's by now, else a new one.
    private mutating func number(of frontend: ServiceFrontend) -> UInt32 {
        let port = Port(service: frontend.service, name: frontend.portName)
        if let known = ports[port] { return known }
        var number = foundPorts[frontend.key] ?? 0
        if number == 0 || portNumbers.contains(number) {
            number = nextPort
            nextPort &+= 1
        }
        ports[port] = number
        portNumbers.insert(number)
        return number
    }

    /// The id of a frontend: that of its group, else the one it has in the kernel, else a new one.
    private mutating func id(of frontend: ServiceFrontend) -> UInt32 {
        let group = Group(
            service: frontend.service, portName: frontend.portName, protocol: frontend.protocol,
            isIPv4: frontend.address.isIPv4, kind: frontend.kind,
            node: frontend.kind == .nodePort ? frontend.address : nil)
        if let known = ids[group] { return known }
        let id = entries[frontend.key]?.id ?? nextID
        if id == nextID { nextID &+= 1 }
        ids[group] = id
        return id
    }

    /// A frontend does not read its table any more.
    private mutating func leave(_ key: ServiceFrontend.Key) {
        if let stray = strays.removeValue(forKey: key), !strays.values.contains(stray) { space.retire(stray) }
        guard let content = contents.removeValue(forKey: key) else { return }
        ranges[content]?.users -= 1
        guard let range = ranges[content], range.users == 0 else { return }
        space.retire(range.run)
        ranges[content] = nil
    }

    /// The entries of a table: those that have it already, else new ones.
    private mutating func range(of content: Content, _ change: inout Change) -> ServiceRanges.Run? {
        if let known = ranges[content] { return known.run }
        let missing = content.backends.filter { slots[content.place($0)] == nil }
        guard missing.count <= freeSlots.count + (limits.backends - Int(nextSlot)) else { return nil }
        // What is let go of in this change is in the map until it is done.
        let unknown = Set(content.backends.map { End($0, content.protocol) })
            .filter { ends[$0] == nil && !newEnds.contains($0) }
        guard ends.count + newEnds.count + unknown.count <= limits.ends else { return nil }
        // Under pressure a coarser table is better than none.
        let best = MaglevTable.size(backends: content.backends.count)
        var sizes = [best]
        if content.backends.count > 1 {
            sizes += MaglevTable.coarserSizes(than: best, backends: content.backends.count)
        }
        var found: ServiceRanges.Run?
        for size in sizes where found == nil { found = space.allocate(size) }
        guard let run = found else { return nil }
        newEnds.formUnion(unknown)
        for backend in content.backends { use(content.place(backend), &change) }
        change.ranges.append((run.first, table(content, size: Int(run.count)) ?? []))
        ranges[content] = Range(run: run, users: 0)
        return run
    }

    /// Gives a backend a slot, or makes the one that it has usable again.
    private mutating func use(_ place: Place, _ change: inout Change) {
        idleSlots[place] = nil
        if var known = slots[place] {
            if known.isUsable { return }
            known.isUsable = true
            slots[place] = known
            change.slots.append(known)
            return
        }
        let number = freeSlots.popLast() ?? nextSlot
        if number == nextSlot { nextSlot += 1 }
        let generation = (generations[number] ?? 0) % UInt32(UInt16.max) + 1
        generations[number] = generation
        let slot = Slot(
            number: number, end: place.end, generation: generation, service: place.service, isUsable: true)
        slots[place] = slot
        change.slots.append(slot)
    }

    /// Takes slots that no frontend goes to any more out of use, and lets go of those that have been so for long.
    private mutating func settleSlots(_ frontends: [ServiceFrontend], _ now: UInt64, _ change: inout Change) {
        let used = Set(
            frontends.flatMap { frontend in
                let content = contents[frontend.key]
                return frontend.backends.compactMap { content?.place($0) }
            })
        for (place, slot) in slots.sorted(by: { $0.key < $1.key }) where slot.isUsable && !used.contains(place) {
            var slot = slot
            slot.isUsable = false
            slots[place] = slot
            idleSlots[place] = now
            change.unusable.append(slot)
        }
        // The oldest make room before there is none.
        let surplus = max(0, slots.count - limits.backends * 7 / 8)
        let idle = idleSlots.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        for (order, (place, since)) in idle.enumerated()
        where order < surplus || now - min(now, since) >= ServiceTables.linger {
            idleSlots[place] = nil
            if let slot = slots.removeValue(forKey: place) { leavingSlots.append(slot.number) }
        }
    }

    /// Counts who has which end, and lets go of ends that have been idle for long.
    private mutating func settleEnds(_ frontends: [ServiceFrontend], _ now: UInt64, _ change: inout Change) {
        var counts: [End: UInt32] = [:]
        // What no frontend leads to, because it did not fit, is no end.
        for frontend in frontends where contents[frontend.key] != nil {
            for backend in frontend.backends { counts[End(backend, frontend.protocol), default: 0] += 1 }
        }
        for (end, count) in counts.sorted(by: { $0.key < $1.key }) {
            if ends[end]?.count != count { change.ends.append((end, count)) }
            ends[end] = (count, now)
        }
        for (end, known) in ends where counts[end] == nil && known.count > 0 { ends[end] = (0, now) }
        let idle = ends.filter { $0.value.count == 0 }.sorted {
            ($0.value.idleSince, $0.key) < ($1.value.idleSince, $1.key)
        }
        // The oldest make room before there is none.
        let surplus = max(0, ends.count - limits.ends * 7 / 8)
        for (place, (end, known)) in idle.enumerated()
        where place < surplus || now - min(now, known.idleSince) >= ServiceTables.linger {
            ends[end] = nil
            change.goneEnds.append(end)
        }
    }
}

extension ServiceTables.Content {
    /// What a slot of one of the backends is for.
    fileprivate func place(_ backend: ServiceBackend) -> ServiceTables.Place {
        ServiceTables.Place(service: service, end: ServiceTables.End(backend, self.protocol))
    }
}
