/// Finds the nearest known word of a misspelt one.
public enum Spelling {
    /// Longer words are not compared.
    private static let longest = 64

    /// The nearest of some words: the same but for case, or at most two (one for short words) letters away.
    public static func nearest(to word: String, among words: [String]) -> String? {
        guard word.utf8.count <= longest else { return nil }
        let lower = Array(word.lowercased().utf8)
        let limit = lower.count < 5 ? 1 : 2
        var best: (word: String, steps: Int)?
        for candidate in words {
            let letters = Array(candidate.lowercased().utf8)
            // Each letter more or less is one to add or to remove.
            guard abs(letters.count - lower.count) <= limit else { continue }
            let steps = distance(lower, letters)
            if steps <= limit, steps < best?.steps ?? .max { best = (candidate, steps) }
        }
        return best?.word
    }

    /// The word of a closed list that was probably meant: the only one that begins with what was written, if that is at least half of it
    /// (`proto` for `protocol`), else the nearest.
    public static func meant(by word: String, among words: [String]) -> String? {
        completion(of: word, among: words) ?? nearest(to: word, among: words)
    }

    /// The only one of some words that begins with a word which is at least half of it.
    public static func completion(of word: String, among words: [String]) -> String? {
        guard word.utf8.count >= 3, word.utf8.count <= longest else { return nil }
        let start = word.lowercased()
        let longer = words.filter { $0.utf8.count > word.utf8.count && $0.lowercased().hasPrefix(start) }
        guard longer.count == 1, let only = longer.first, only.utf8.count <= 2 * word.utf8.count else { return nil }
        return only
    }

    /// The edit distance: letters to add, remove, change or swap with their neighbour.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var before = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        for i in 1...left.count {
            var current = [i] + [Int](repeating: 0, count: right.count)
            for j in 1...right.count {
                let change = previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1)
                current[j] = min(change, previous[j] + 1, current[j - 1] + 1)
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    current[j] = min(current[j], before[j - 2] + 1)
                }
            }
            before = previous
            previous = current
        }
        return previous[right.count]
    }
}
