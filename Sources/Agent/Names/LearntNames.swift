import BPFEmit
import NetTypes

/// What one pod has learnt, within bounds: what ends first makes way. A pod decides how many records come, and each of them is taken
/// while others wait; so none costs more than a step for each power of two of names, and a look at one name's addresses.
struct LearntNames {
    /// A name's addresses with their ends.
    private struct Name {
        var addresses: [IPAddress: UInt32]
        /// The latest of the ends. It never goes down: the address that makes way is the one that ends first.
        var end: UInt32
    }

    private var names: [String: Name] = [:]
    /// Addresses of all names.
    private(set) var total = 0
    /// A heap, the name that ends first at its top. Each name is in it once, with an end that it had at some time: it has a later one
    /// by now, or is gone, as is seen when it gets to the top.
    private var ends: [(end: UInt32, name: String)] = []

    /// By name, the addresses with their ends.
    var all: [String: [IPAddress: UInt32]] { names.mapValues(\.addresses) }

    /// Takes a record. False: it says nothing, or there is no room for it.
    mutating func learn(_ record: NameRecord, _ limits: NameHistory.Limits) -> Bool {
        // On the wire a name has at most 255 bytes; escaped ones are longer.
        guard record.name.utf8.count <= 1024, !record.addresses.isEmpty else { return false }
        // Taken out, so that it is changed in place.
        var name = names.removeValue(forKey: record.name)
        let isNew = name == nil
        if isNew, names.count >= limits.names, !makeRoom(before: record.expires) { return false }
        var addresses = name?.addresses ?? [:]
        name = nil
        total -= addresses.count
        for address in record.addresses {
            if let known = addresses[address] {
                addresses[address] = max(known, record.expires)
                continue
            }
            if addresses.count >= limits.addresses || total + addresses.count >= limits.total {
                guard let first = addresses.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
                    first.value < record.expires
                else { continue }
                addresses[first.key] = nil
            }
            addresses[address] = record.expires
        }
        insert(record.name, addresses, isNew: isNew)
        return !addresses.isEmpty
    }

    /// Takes what was written down of a name, as far as there is room.
    mutating func restore(_ name: String, _ addresses: [(IPAddress, UInt32)], _ limits: NameHistory.Limits) {
        guard names[name] == nil, names.count < limits.names else { return }
        let room = min(limits.addresses, limits.total - total)
        insert(name, Dictionary(addresses.prefix(max(room, 0))) { first, _ in first }, isNew: true)
    }

    /// Forgets what has ended. Returns whether anything has.
    mutating func forget(before now: UInt32) -> Bool {
        let before = total
        for (name, known) in names {
            let held = known.addresses.filter { $0.value > now }
            guard held.count < known.addresses.count else { continue }
            total -= known.addresses.count - held.count
            names[name] = held.isEmpty ? nil : Name(addresses: held, end: known.end)
        }
        ends = names.map { ($0.value.end, $0.key) }.sorted { $0.0 < $1.0 }
        return total != before
    }

    private mutating func insert(_ name: String, _ addresses: [IPAddress: UInt32], isNew: Bool) {
        guard let end = addresses.values.max() else { return }
        total += addresses.count
        names[name] = Name(addresses: addresses, end: end)
        if isNew { push(end, name) }
    }

    /// Forgets the name that ends first, if that is before `time`.
    private mutating func makeRoom(before time: UInt32) -> Bool {
        while let first = ends.first {
            guard let end = names[first.name]?.end else {
                pop()
                continue
            }
            if end != first.end {
                ends[0].end = end
                sink()
                continue
            }
            guard end < time, let gone = names.removeValue(forKey: first.name) else { return false }
            total -= gone.addresses.count
            pop()
            return true
        }
        return false
    }

    // MARK: the heap

    private mutating func push(_ end: UInt32, _ name: String) {
        ends.append((end, name))
        var place = ends.count - 1
        while place > 0, ends[place].end < ends[(place - 1) / 2].end {
            ends.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func pop() {
        ends.swapAt(0, ends.count - 1)
        ends.removeLast()
        sink()
    }

    private mutating func sink() {
        var place = 0
        while true {
            let children = (2 * place + 1)..<min(2 * place + 3, max(ends.count, 2 * place + 1))
            guard let least = children.min(by: { ends[$0].end < ends[$1].end }), ends[least].end < ends[place].end
            else { return }
            ends.swapAt(place, least)
            place = least
        }
    }
}
