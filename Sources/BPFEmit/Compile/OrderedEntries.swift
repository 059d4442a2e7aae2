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

extension PeerEntry: OrderedEntry {
    var order: UInt32 { identity }
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

    /// Several changes, sorted, each order once. O(n) if they are many.
    mutating func set(_ changes: [(order: Element.Order, entry: Element?)]) {
        guard changes.count > Self.insertionLimit else {
            for change in changes { set(change.order, change.entry) }
            return
        }
        var merged: [Element] = []
        merged.reserveCapacity(count + changes.count)
        var next = 0
        for change in changes {
            while next < count, self[next].order < change.order {
                merged.append(self[next])
                next += 1
            }
            if next < count, self[next].order == change.order { next += 1 }
            if let entry = change.entry { merged.append(entry) }
        }
        merged += self[next...]
        self = merged
    }
}
