/// Of so few, looking at all of them is cheaper than looking for one in their order.
let fewElements = 16

extension Array where Element: Comparable {
    /// Whether an array that is sorted has an element.
    ///
    /// - Complexity: O(log `count`).
    func sortedContains(_ wanted: Element) -> Bool {
        if count <= fewElements { return contains(wanted) }
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == wanted
    }
}
