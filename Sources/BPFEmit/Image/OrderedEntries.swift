import NetTypes

/// An entry of a list that is kept in order.
protocol OrderedEntry {
    associatedtype Order: Comparable

    /// What it is sorted by; no two entries of a list have the same.
    var order: Order { get }
}

extension AddressEntry: OrderedEntry {
    var order: IPAddress { address }
}

extension PrefixEntry: OrderedEntry {
    var order: IPPrefix { prefix }
}

extension IdentityRecord: OrderedEntry {
    /// By number; the one number that several may have, that of those for which none was left, by label.
    struct Order: Comparable {
        var number: UInt32
        var label: String

        static func < (left: Order, right: Order) -> Bool {
            left.number == right.number ? left.label < right.label : left.number < right.number
        }
    }

    var order: Order { Order(number: number, label: label) }
}

/// Lists of an image that are patched in place. O(log n), and the moves of one insertion or removal; O(n) once if the list
/// has been handed out since the last change.
extension Array where Element: OrderedEntry {
    /// More changes than this are merged in one pass.
    private static var insertionLimit: Int { 24 }

    /// Where an entry stands, or would.
    func place(of order: Element.Order) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].order < order { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The entry of an order.
    func entry(_ order: Element.Order) -> Element? {
        let place = place(of: order)
        return place < count && self[place].order == order ? self[place] : nil
    }

    /// Puts an entry in the place of the one of its order; `nil` takes that one out.
    mutating func set(_ order: Element.Order, _ entry: Element?) {
        let place = place(of: order)
        let isThere = place < count && self[place].order == order
        switch (entry, isThere) {
        case (let entry?, true): self[place] = entry
        case (let entry?, false): insert(entry, at: place)
        case (nil, true): remove(at: place)
        case (nil, false): break
        }
    }

    /// Several changes, sorted, each order once. Two passes over the entries behind the first if they are many.
    mutating func set(_ changes: [(order: Element.Order, entry: Element?)]) {
        guard changes.count > Self.insertionLimit else {
            // A list that grows by itself gets room for twice as many, and nearly all lists were handed out and are copied here.
            if changes.contains(where: { $0.entry != nil }) { reserveCapacity(count + changes.count) }
            for change in changes { set(change.order, change.entry) }
            return
        }
        var added: [Element] = []
        remove(changes, &added)
        merge(added)
    }

    /// Changes the entries that are there or takes them out. What is to be added is left.
    private mutating func remove(_ changes: [(order: Element.Order, entry: Element?)], _ added: inout [Element]) {
        guard let first = changes.first else { return }
        let start = place(of: first.order)
        let end = withUnsafeMutableBufferPointer { entries in
            var hole = start
            var next = start
            for change in changes {
                while next < entries.count, entries[next].order < change.order {
                    // Swapped in a buffer entries are moved, not copied: each holds a reference.
                    if hole != next { entries.swapAt(hole, next) }
                    hole += 1
                    next += 1
                }
                let isThere = next < entries.count && entries[next].order == change.order
                if isThere, let entry = change.entry {
                    entries[next] = entry
                } else if isThere {
                    next += 1
                } else if let entry = change.entry {
                    added.append(entry)
                }
            }
            if hole == next { return entries.count }
            while next < entries.count {
                entries.swapAt(hole, next)
                hole += 1
                next += 1
            }
            return hole
        }
        removeLast(count - end)
    }

    /// Adds sorted entries that are not there, from the end.
    private mutating func merge(_ added: [Element]) {
        var old = count - 1
        self += added
        withUnsafeMutableBufferPointer { entries in
            var place = entries.count - 1
            for entry in added.reversed() {
                while old >= 0, entry.order < entries[old].order {
                    entries.swapAt(old, place)
                    old -= 1
                    place -= 1
                }
                entries[place] = entry
                place -= 1
            }
        }
    }
}
