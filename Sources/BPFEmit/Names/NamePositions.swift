/// Positions of a `NameGraph`, each once: quick to fill where they come nearly in order.
struct NamePositions {
    private var list: [Int32] = []
    private var isSorted = true

    /// None.
    init() {}

    /// Adds one.
    mutating func add(_ position: Int) {
        let position = Int32(truncatingIfNeeded: position)
        guard let last = list.last else { return list.append(position) }
        if last == position { return }
        if last > position { isSorted = false }
        list.append(position)
    }

    /// Adds all of others.
    mutating func add(_ others: NamePositions) {
        if others.list.isEmpty { return }
        if list.isEmpty {
            self = others
            return
        }
        isSorted = false
        list += others.list
    }

    /// In their order, each once.
    var sorted: [Int32] {
        if isSorted { return list }
        var found: [Int32] = []
        found.reserveCapacity(list.count)
        for position in list.sorted() where position != found.last { found.append(position) }
        return found
    }
}
