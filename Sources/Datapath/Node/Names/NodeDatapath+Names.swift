public import BPFEmit
import CNetpoldABI
import Glibc
public import NetTypes
public import PolicyIR
import Support

/// The L7 rules of a program, as the proxy is told of them.
public struct ProgramRules: Sendable {
    /// The base of the program's counters, which names it.
    public let base: UInt32
    /// Its direction.
    public let direction: Direction
    /// Its L7 rules, each with its bit in the one word that they are of.
    public let rules: [(bit: UInt32, rule: RuleBit)]
    /// The number of the numbering of its columns of names; 0: it has none.
    public let names: UInt32
    /// What they stand for.
    public let columns: [(number: UInt32, list: NameList)]
}

extension NodeDatapath {
    /// The policies that slots of np_policies hold.
    private var placed: [LoadedPolicy] {
        subjects.sorted { $0.key < $1.key }.flatMap { [$0.value.ingress, $0.value.egress] }
    }

    /// Step 3, before any program is swapped: what names satisfy for programs that run and those that are about to, and what the
    /// proxy is to know of them.
    func prepareNames(
        _ batch: PolicyBatch, _ image: NodeImage, _ report: inout ApplyReport
    ) throws(BPFError) {
        let fresh = batch.fresh.sorted { $0.key < $1.key }.flatMap { $0.value.values }
        let policies = placed + outOfUse + fresh
        // What changes hands is nobody's until it has.
        let before = podAddresses
        podAddresses = NodeDatapath.podAddresses(of: image).merging(before) { next, _ in next }
        for (address, pod) in before where podAddresses[address] != pod { podAddresses[address] = nil }
        let isSettled = isSettled(policies)
        tell(policies, areTold: isSettled)
        if isSettled { return }
        settledNames = nil
        guard let names else { return }
        let (written, isOther) = try names.prepare(policies)
        report.entriesChanged += written
        if isOther { try waitForPrograms() }
    }

    /// After step 10: patterns and entries go that only programs asked for that are gone.
    func settleNames(_ image: NodeImage, _ report: inout ApplyReport) throws(BPFError) {
        let policies = placed + outOfUse
        podAddresses = NodeDatapath.podAddresses(of: image)
        let isSettled = isSettled(policies)
        tell(policies, areTold: isSettled)
        if !isSettled {
            settledNames = nil
            if let names {
                let (_, isOther) = try names.settle(policies)
                if isOther { try waitForPrograms() }
                _ = try names.clean(policies)
            }
            settledNames = Set(policies.compactMap { $0.hits?.base })
        }
        report.namesLeftOut = names?.refused ?? 0
        report.patternsLeftOut = names?.tables?.leftOut ?? []
        report.patternsDenied = names?.denied ?? []
    }

    /// Whether these are the programs that the tables were settled for. A program without counters has no number to be known by.
    private func isSettled(_ policies: [LoadedPolicy]) -> Bool {
        let bases = policies.compactMap { $0.hits?.base }
        return bases.count == policies.count && settledNames == Set(bases)
    }

    /// By address, the local pod that has it alone.
    private static func podAddresses(of image: NodeImage) -> [IPAddress: EndpointKey] {
        var found: [IPAddress: EndpointKey] = [:]
        var contested: Set<IPAddress> = []
        for endpoint in image.endpoints where !endpoint.key.isHost {
            for address in endpoint.addresses where found.updateValue(endpoint.key, forKey: address) != nil {
                contested.insert(address)
            }
        }
        for address in contested { found[address] = nil }
        return found
    }

    /// Says what L7 rules the programs have, and, where there are any, whose the addresses are, when that is something else than before.
    private func tell(_ policies: [LoadedPolicy], areTold: Bool) {
        guard let onRules else { return }
        if areTold, toldRules.isEmpty || podAddresses == toldAddresses { return }
        var seen: Set<UInt32> = []
        var rules: [ProgramRules] = []
        for policy in policies {
            guard let base = policy.hits?.base, seen.insert(base).inserted else { continue }
            let bits = policy.image.bits.enumerated().filter(\.element.isL7)
            guard let direction = policy.hits?.programDirection, !bits.isEmpty else { continue }
            rules.append(
                ProgramRules(
                    base: base, direction: direction,
                    rules: bits.map { (UInt32($0.offset % Int(NP_BITS_PER_WORD)), $0.element) },
                    names: policy.image.names,
                    columns: policy.image.columns.map { (UInt32($0.number), $0.list) }))
        }
        let telling = Dictionary(rules.map { ($0.base, $0.rules.map(\.rule)) }) { first, _ in first }
        if telling == toldRules, telling.isEmpty || podAddresses == toldAddresses { return }
        toldRules = telling
        toldAddresses = podAddresses
        onRules(rules, podAddresses)
    }

    /// Whether a pod's DNS exchanges are read, once its policies are in place.
    func readsNames(_ subject: String, _ plan: ApplyPlan) -> Bool { plan.readers.contains(subject) }

    /// The numbers below this one may be known to the kernel, as those of columns.
    public var nextNameColumns: UInt32 {
        get throws(BPFError) {
            guard let names = maps.names else { return 1 }
            let others = inherited.highestColumns
            let endpoints =
                try maps.endpoints.entries(key: UInt32(0), value: np_endpoint()).map(\.value.names).max() ?? 0
            let learnt =
                try names.learnt.entries(key: np_learnt_key(), value: np_learnt()).map(\.value.names).max() ?? 0
            return max(endpoints, learnt, others, self.names?.highestColumns ?? 0) + 1
        }
    }

    /// The serial number of the latest record of columns that the kernel goes by; 0: none.
    public var columnRecord: UInt32 {
        get throws(BPFError) {
            guard let names = maps.names else { return 0 }
            let own = try names.options.value(of: UInt32(0), initial: np_name_options())?.record ?? 0
            return own == 0 ? inherited.columnRecord : own
        }
    }

    /// Says how DNS is dealt with from now on.
    public func set(_ options: NameOptions) throws(BPFError) {
        var value = np_name_options()
        value.refusal = options.refusal.code
        value.least_ttl = options.leastTTL
        value.drops_inexact = options.dropsInexact ? 1 : 0
        value.record = try columnRecord
        value.setRanges(options.linkLocalRanges)
        try maps.names?.options.set(UInt32(0), value)
    }

    /// Says which record of columns the kernel goes by, before it does.
    func note(columnRecord record: UInt32) throws(BPFError) {
        guard let names = maps.names, record > 0,
            var value = try names.options.value(of: UInt32(0), initial: np_name_options()), value.record != record
        else { return }
        value.record = record
        try names.options.set(UInt32(0), value)
    }

    /// What was learnt while columns were being put into force is in force as well: it was told of under the numbers before.
    func refill(_ plan: ApplyPlan) throws(BPFError) {
        let pods = refilled
        refilled = []
        guard let look = pods.isEmpty ? nil : history?() else { return }
        for pod in pods.sorted() { try learn(pod, look(pod)) }
    }
}

extension NodeDatapath {
    /// Puts what a pod has learnt earlier into force for its columns, in a slot. What the programs know beyond that stays.
    ///
    /// - Returns: entries written.
    func fill(_ slot: UInt32, _ names: UInt32, _ columns: [PolicyBits.Column], _ history: [LearntName]) throws(BPFError)
        -> Int
    {
        guard let maps = maps.names, names != 0, !columns.isEmpty else { return 0 }
        let now = MonotonicClock.seconds
        var wanted: [IPAddress: [Int: UInt32]] = [:]
        for known in history {
            let matching = columns.filter { $0.list.matches(known.name) }.map(\.number)
            if matching.isEmpty { continue }
            for (address, expires) in known.addresses where expires > now {
                for column in matching {
                    wanted[address, default: [:]][column] = max(wanted[address]?[column] ?? 0, expires)
                }
            }
        }
        guard !wanted.isEmpty else { return 0 }
        var share = try maps.shares.value(of: slot, initial: np_learnt_share()) ?? np_learnt_share()
        var (inserted, refused): (UInt64, UInt64) = (0, 0)
        var written = 0
        for (address, expirations) in wanted.sorted(by: { $0.key < $1.key }) {
            // Of nodes, pods and Services nothing is learnt, whoever they have become.
            if addresses[address] != nil { continue }
            let key = np_learnt_key(address: np_address(address), endpoint: slot)
            let present = try maps.learnt.value(of: key, initial: np_learnt())
            if present == nil, share.inserted &+ inserted &- share.removed >= UInt64(NP_MAX_LEARNT_OF_POD) { continue }
            var value = present.flatMap { $0.names == names ? $0 : nil } ?? np_learnt()
            guard value.add(expirations, names: names) else { continue }
            value.serial = .random(in: .min ... .max)
            do throws(BPFError) {
                try maps.learnt.set(key, value)
            } catch {
                // The table is full of what other pods have learnt. What is not in it lets nothing pass, and no change waits for it.
                guard error.errno == .argListTooLong else { throw error }
                refused += 1
                continue
            }
            if present == nil { inserted += 1 }
            written += 1
        }
        if inserted > 0 || refused > 0 {
            share.inserted &+= inserted
            share.refused &+= refused
            try maps.shares.set(slot, share)
            try maps.countAll { $0.inserted &+= inserted }
        }
        return written
    }

    /// Puts what a pod has learnt into force now: for columns that its policy has already.
    public func learn(_ pod: EndpointKey, _ history: [LearntName]) throws(BPFError) {
        guard let endpoint = endpoints[pod], let subject = subjects[endpoint.subject] else { return }
        let image = subject.egress.image
        guard image.names != 0, endpoint.value.names == image.names else { return }
        _ = try fill(endpoint.slot, image.names, image.columns, history)
    }

    /// Removes the entries of np_learnt that nothing says any more, and counts what each pod has.
    ///
    /// - Returns: by pod, entries it has, and addresses that found no room so far.
    public func collectLearnt() throws(BPFError) -> [EndpointKey: LearntUse] {
        guard let maps = maps.names else { return [:] }
        let now = MonotonicClock.seconds
        let bySlot = Dictionary(endpoints.map { ($0.value.slot, $0) }) { first, _ in first }
        var held: [UInt32: Int] = [:]
        for (key, value) in try maps.learnt.entries(key: np_learnt_key(), value: np_learnt()) {
            let endpoint = bySlot[key.endpoint]?.value
            let names = endpoint?.value.names ?? adopted[key.endpoint]?.names
            // Flows that names have let in remember that themselves. An entry of another numbering says nothing at all.
            if names == value.names, value.latest > now {
                held[key.endpoint, default: 0] += 1
                continue
            }
            // It may have been learnt anew meanwhile: what was taken away is what was there.
            guard let taken = try maps.learnt.take(key, initial: np_learnt()), taken.serial != value.serial else {
                continue
            }
            _ = try maps.learnt.insert(key, taken)
            held[key.endpoint, default: 0] += 1
        }
        let count = UInt64(held.values.reduce(0, +))
        try maps.countAll { $0.removed = $0.inserted &- count }
        var uses: [EndpointKey: LearntUse] = [:]
        for (slot, endpoint) in bySlot {
            guard var share = try maps.shares.value(of: slot, initial: np_learnt_share()) else { continue }
            let count = UInt64(held[slot] ?? 0)
            if share.inserted &- share.removed != count {
                share.removed = share.inserted &- count
                try maps.shares.set(slot, share)
            }
            if endpoint.value.value.names != 0 || share.inserted > 0 {
                uses[endpoint.key] = LearntUse(
                    entries: Int(count), refused: share.refused, unlearnt: share.unlearnt)
            }
        }
        return uses
    }

    /// Forgets what pods in these slots have learnt: nobody is in them any more.
    func forgetLearnt(_ slots: Set<UInt32>) throws(BPFError) {
        guard let maps = maps.names, !slots.isEmpty else { return }
        var removed: UInt64 = 0
        for (key, _) in try maps.learnt.entries(key: np_learnt_key(), value: np_learnt())
        where slots.contains(key.endpoint) {
            try maps.learnt.remove(key)
            removed += 1
        }
        try maps.countAll { $0.removed &+= removed }
        for slot in slots.sorted() { try maps.shares.set(slot, np_learnt_share()) }
    }
}

extension DatapathMaps {
    /// Options that nobody has written yet: a query that is refused is answered REFUSED.
    func setDefaultNameOptions() throws(BPFError) {
        guard let names, var value = try names.options.value(of: UInt32(0), initial: np_name_options()),
            value.refusal == 0
        else { return }
        value.refusal = NameOptions.Refusal.refused.code
        try names.options.set(UInt32(0), value)
    }
}

extension np_name_options {
    /// Says which link-local addresses are learnt; those beyond `NP_MAX_NAME_RANGES` are not.
    mutating func setRanges(_ prefixes: [IPPrefix]) {
        let taken = prefixes.prefix(Int(NP_MAX_NAME_RANGES))
        ranges = UInt32(taken.count)
        withUnsafeMutableBytes(of: &range) { bytes in
            for (place, prefix) in taken.enumerated() {
                let ones = UInt64.max
                let length = UInt64(prefix.mappedLength)
                let mask = IPAddress(
                    high: length >= 64 ? ones : length == 0 ? 0 : ones << (64 - length),
                    low: length <= 64 ? 0 : ones << (128 - length))
                bytes.storeBytes(
                    of: np_name_range(address: np_address(prefix.address), mask: np_address(mask)),
                    toByteOffset: place * MemoryLayout<np_name_range>.stride, as: np_name_range.self)
            }
        }
    }
}

extension np_learnt {
    /// Its columns by number, with their ends.
    var expirations: [Int: UInt32] {
        withUnsafeBytes(of: expires) { bytes in
            let held = (0..<Int(NP_MAX_NAME_COLUMNS)).filter { columns >> UInt32($0) & 1 == 1 }
            return Dictionary(
                uniqueKeysWithValues: held.map { ($0, bytes.load(fromByteOffset: 4 * $0, as: UInt32.self)) })
        }
    }

    /// When the last of its columns ends.
    var latest: UInt32 { expirations.values.max() ?? 0 }

    /// Adds columns, by number with their ends. Returns whether anything is other than before.
    mutating func add(_ expirations: [Int: UInt32], names: UInt32) -> Bool {
        let before = columns
        self.names = names
        var isOther = false
        var earliest = UInt32.max
        var all = before
        withUnsafeMutableBytes(of: &expires) { bytes in
            for (column, end) in expirations where (0..<Int(NP_MAX_NAME_COLUMNS)).contains(column) {
                let present = bytes.load(fromByteOffset: 4 * column, as: UInt32.self)
                if all >> UInt32(column) & 1 == 0 || present < end {
                    bytes.storeBytes(of: max(present, end), toByteOffset: 4 * column, as: UInt32.self)
                    isOther = true
                }
                all |= 1 << UInt32(column)
            }
            for column in 0..<Int(NP_MAX_NAME_COLUMNS) where all >> UInt32(column) & 1 == 1 {
                earliest = min(earliest, bytes.load(fromByteOffset: 4 * column, as: UInt32.self))
            }
        }
        columns = all
        self.earliest = all == 0 ? 0 : earliest
        return isOther
    }
}
