import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import PolicyIR
import Support

/// The tables of Services as the kernel has them, and what they were made for.
struct ServicesInForce {
    var tables: ServiceTables
    /// The frontends of the latest apply; `nil`: of none, the tables were found.
    var frontends: [ServiceFrontend]?
    /// When that was, seconds.
    var time: UInt64 = 0
    /// Addresses that frontends had, for as long as flows go on there: without a mark they would not be found any more.
    var former: Set<IPAddress> = []
    /// Those of them that did not fit.
    var leftOut: [ServiceFrontend.Key] = []
    /// Entries of np_addresses and np_prefixes, as an image has them, and the former with marks.
    var marked: (addresses: [AddressEntry], prefixes: [PrefixEntry], result: [AddressEntry])?
}

/// What an apply is going to do about Services.
struct ServicePlan {
    /// The image with the marks of Services in its addresses.
    var image: NodeImage
    /// The writes.
    var change: ServiceTables.Change
    /// The tables after them; `nil` in an object without.
    var next: ServicesInForce?
}

extension NodeDatapath {
    /// Ends that nothing can come from any more are looked for at most this often, seconds.
    private static let settling: UInt64 = 60
    /// Addresses that frontends had keep their marks, as many as this: flows that go on at others end.
    private static let formerLimit = 8192

    /// Part of step 1.
    func planServices(_ image: NodeImage) throws(BPFError) -> ServicePlan {
        guard let maps = maps.services else {
            return ServicePlan(image: image, change: ServiceTables.Change(), next: nil)
        }
        let now = UInt64(MonotonicClock.seconds)
        var next: ServicesInForce
        if let services {
            next = services
        } else {
            // What was replaced before may still be read, and nobody knows what that was.
            try waitForPrograms()
            next = ServicesInForce(tables: try maps.read(now: now))
        }
        let wanted = options.services == .translate ? image.services : []
        var change = ServiceTables.Change()
        let isFirst = next.frontends == nil
        let isDue = now - next.time >= NodeDatapath.settling
        if next.frontends != wanted || isDue {
            let before = Set(next.tables.entries.keys.map(\.address))
            let idle = next.tables.idleEnds(now: now)
            if !idle.isEmpty { next.tables.keep(try endsInUse(among: idle), now: now) }
            change = next.tables.change(to: wanted, now: now)
            next.frontends = wanted
            let after = Set(next.tables.entries.keys.map(\.address))
            var former = next.former.union(before).subtracting(after)
            if options.services != .translate { former = [] }
            if isFirst {
                former.formUnion(try frontendsInUse().subtracting(after))
            } else if isDue && !former.isEmpty || former.count > NodeDatapath.formerLimit {
                former.formIntersection(try frontendsInUse())
            }
            // Whoever changes his Services all the time takes no more room by it.
            if former.count > NodeDatapath.formerLimit {
                former = Set(former.sorted().prefix(NodeDatapath.formerLimit))
            }
            if !change.isEmpty || former != next.former { next.marked = nil }
            next.former = former
            next.time = now
            next.leftOut = change.leftOut
        }
        var image = image
        if let known = next.marked, known.addresses == image.addresses, known.prefixes == image.prefixes {
            image.addresses = known.result
        } else {
            let result = image.marking(
                frontends: Set(next.tables.entries.keys.map(\.address)).union(hairpins).union(next.former),
                backends: Set(next.tables.knownEnds.map(\.backend.address)))
            next.marked = (image.addresses, image.prefixes, result)
            image.addresses = result
        }
        return ServicePlan(image: image, change: change, next: next)
    }

    /// The addresses that a pod gets its own packets from, where Services are translated.
    private var hairpins: [IPAddress] { options.services == .translate ? NodeDatapath.hairpinAddresses : [] }

    /// Part of step 5: everything that a packet may be sent to is there before a frontend leads there.
    func write(_ plan: ServicePlan, _ report: inout ApplyReport) throws(BPFError) {
        guard let maps = maps.services, let next = plan.next else { return }
        // If a write fails, what the kernel has is read again.
        services = nil
        try maps.write(plan.change)
        if plan.change.isEmpty { services = next }
        report.servicesLeftOut = next.leftOut.map { "\($0.address) port \($0.port)/\($0.protocol)" }
        report.entriesChanged += plan.change.count
    }

    /// Part of step 5, after the address tables.
    func finish(_ plan: ServicePlan, _ report: inout ApplyReport) throws(BPFError) {
        guard let maps = maps.services, let next = plan.next, !plan.change.isEmpty else { return }
        try maps.finish(plan.change)
        services = next
    }

    /// Those of some ends that a pod's flow to a Service has gone to: their answers are still to be translated.
    func endsInUse(among ends: Set<ServiceTables.End>) throws(BPFError) -> Set<ServiceTables.End> {
        var inUse: Set<ServiceTables.End> = []
        for region in Array(regions.current.values) + Array(regions.left.values) {
            for entry in try maps.flows.mapped(region).entries(in: region)
            where entry.record.flags & UInt32(NP_ENTRY_BACKEND) != 0 {
                let backend = ServiceBackend(
                    address: entry.record.remote.ipAddress, port: UInt16(bigEndian: entry.record.remote_port))
                let end = ServiceTables.End(backend, L4Protocol(rawValue: entry.record.protocol))
                if ends.contains(end) { inUse.insert(end) }
            }
        }
        return inUse
    }

    /// Addresses of Services, or of what was one, that pods' flows go to; none where nothing is translated.
    func frontendsInUse() throws(BPFError) -> Set<IPAddress> {
        guard options.services == .translate else { return [] }
        var inUse: Set<IPAddress> = []
        for region in Array(regions.current.values) + Array(regions.left.values) {
            for entry in try maps.flows.mapped(region).entries(in: region)
            where entry.record.flags & UInt32(NP_ENTRY_FRONTEND) != 0
                && entry.record.own_address & UInt8(NP_OWN_ALIAS) == 0
            { inUse.insert(entry.record.remote.ipAddress) }
        }
        return inUse
    }

    /// From where a pod that is its own backend gets its packets: NP_HAIRPIN_*.
    static let hairpinAddresses = [
        IPAddress(ipv4: UInt32(NP_HAIRPIN_IPV4)),
        IPAddress(
            high: UInt64(NP_HAIRPIN_IPV6_0) << 32 | UInt64(NP_HAIRPIN_IPV6_1),
            low: UInt64(NP_HAIRPIN_IPV6_2) << 32 | UInt64(NP_HAIRPIN_IPV6_3)),
    ]
}
