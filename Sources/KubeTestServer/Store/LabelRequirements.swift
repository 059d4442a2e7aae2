/// A label selector: requirements that are all met.
struct LabelRequirements: Sendable {
    private enum Requirement: Sendable {
        case exists(String)
        case missing(String)
        case among(String, Set<String>)
        case notAmong(String, Set<String>)
    }

    private var requirements: [Requirement] = []

    init(_ text: String) throws(APIStatus) {
        var rest = text[...]
        while !rest.isEmpty {
            // A comma between parentheses does not end a requirement.
            var depth = 0
            let end =
                rest.firstIndex {
                    if $0 == "(" { depth += 1 }
                    if $0 == ")" { depth -= 1 }
                    return $0 == "," && depth == 0
                } ?? rest.endIndex
            requirements.append(try LabelRequirements.requirement(rest[..<end]))
            rest = rest[end...].dropFirst()
        }
    }

    private static func requirement(_ text: Substring) throws(APIStatus) -> Requirement {
        let trimmed = text.drop { $0 == " " }
        if trimmed.hasPrefix("!"), !trimmed.contains("=") { return .missing(String(trimmed.dropFirst())) }
        for (word, isIn) in [(" notin ", false), (" in ", true)] {
            guard let place = trimmed.range(of: word) else { continue }
            let values = trimmed[place.upperBound...].drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
            let set = Set(values.split(separator: ",").map { String($0.filter { $0 != " " }) })
            let key = String(trimmed[..<place.lowerBound])
            return isIn ? .among(key, set) : .notAmong(key, set)
        }
        guard let sign = trimmed.firstIndex(of: "=") else { return .exists(String(trimmed)) }
        var key = trimmed[..<sign]
        var value = trimmed[sign...].dropFirst()
        let isNegated = key.hasSuffix("!")
        if isNegated { key = key.dropLast() } else if value.hasPrefix("=") { value = value.dropFirst() }
        guard !value.contains("=") else {
            throw .badRequest("unable to parse requirement: found '=', expected: identifier")
        }
        return isNegated ? .notAmong(String(key), [String(value)]) : .among(String(key), [String(value)])
    }

    func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy {
            switch $0 {
            case .exists(let key): labels[key] != nil
            case .missing(let key): labels[key] == nil
            case .among(let key, let values): labels[key].map(values.contains) ?? false
            case .notAmong(let key, let values): !(labels[key].map(values.contains) ?? false)
            }
        }
    }
}

extension Substring {
    /// The place of a text in it.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
