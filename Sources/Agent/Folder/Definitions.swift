import PolicyAPI
import PolicyIR
import Support

/// Which objects of a folder are refused: those with an error, and those that are defined several times and do not say the same each time
/// (`DefinedObject`, by which `ManifestDecoder` says the same of the files of a dry run).
///
/// Which of several definitions is meant nobody knows, so none is in force, and whom any of them selects is isolated. A definition for which something is closed goes as what is in force goes: not by an accident
/// of its file.
struct Definitions: Sendable {
    private struct Definition: Hashable, Sendable {
        var file: String
        /// The object where it is good by itself.
        var good: ClusterObject?
        /// What is closed for it.
        var refused: RefusedObject
    }

    /// Where a definition is written.
    private struct Site: Equatable {
        var file: String
        var origin: ObjectOrigin
    }

    private struct Place: Hashable {
        var key: ObjectKey
        var file: String
    }

    /// Of the keys for which something is closed.
    private var held: [ObjectKey: [Definition]] = [:]
    private var leaving: [Place: Leaving] = [:]
    /// The keys of which definitions are held, by the file that cannot be read or is not believed any more.
    private var missing: [String: [ObjectKey]] = [:]
    /// The keys of which the definitions contradict each other.
    private(set) var contradicted: Set<ObjectKey> = []
    /// Objects that are written several times and mean one all the same.
    private(set) var conditions: [Condition] = []
    /// When the next definition is to go that no file holds any more; `nil` when none waits.
    private(set) var due: Duration?

    /// Takes a reading; returns what is refused of it, by key. Where something of the folder is in force, and nothing is left in it, all of
    /// it stays.
    mutating func absorb(
        _ view: FolderView, _ contents: FolderContents, isInForce: Bool
    ) -> [ObjectKey: RefusedObject] {
        var found = written(view.files, contents)
        keep(view, contents, isInForce: isInForce, &found)
        held = [:]
        contradicted = []
        var refused: [ObjectKey: RefusedObject] = [:]
        for (key, definitions) in found {
            let isContradiction = Definitions.contradict(definitions)
            if isContradiction { contradicted.insert(key) }
            guard let merged = Definitions.merged(definitions, isContradiction: isContradiction) else { continue }
            refused[key] = merged
            if !merged.isolating.isEmpty || merged.unknown != nil { held[key] = definitions }
        }
        return refused
    }

    /// The definitions in the files of those keys of which there are several, or a refused one, in the order in which they are written.
    private mutating func written(
        _ files: FolderSnapshot, _ contents: FolderContents
    ) -> [ObjectKey: [Definition]] {
        conditions = []
        var found: [ObjectKey: [Definition]] = [:]
        for other in contents.repeated {
            let key = other.object.key
            guard let first = contents.first[key] else { continue }
            if found[key] == nil { found[key] = [Definitions.good(first, before: nil)] }
            found[key]?.append(Definitions.good(other, before: first.origin))
            var pair = DefinedObject<Int>()
            pair.add(first.object, at: 0)
            pair.add(other.object, at: 1)
            if !pair.isContradicted {
                conditions.append(duplicate(key, at: other.origin, first: first.origin))
            }
        }
        for (file, content) in files.sorted(by: { $0.key < $1.key }) {
            for refused in content.refused {
                if found[refused.key] == nil, let first = contents.first[refused.key] {
                    found[refused.key] = [Definitions.good(first, before: nil)]
                }
                found[refused.key, default: []].append(Definition(file: file, refused: refused))
            }
        }
        return found
    }

    /// Adds definitions that were held and are in no file any more, while that may be an accident. One that is in a file in which it was
    /// not has only moved.
    private mutating func keep(
        _ view: FolderView, _ contents: FolderContents, isInForce: Bool, _ found: inout [ObjectKey: [Definition]]
    ) {
        let isEmpty = view.files.values.allSatisfy { $0.objects.isEmpty && $0.refused.isEmpty }
        var next: [Place: Leaving] = [:]
        due = nil
        missing = [:]
        for (key, definitions) in held {
            let before = definitions.map { definition in
                var definition = definition
                definition.file = view.moves[definition.file] ?? definition.file
                return definition
            }
            if found[key] == nil { found[key] = contents.first[key].map { [Definitions.good($0, before: nil)] } }
            let now = Set((found[key] ?? []).map(\.file))
            guard now.isSubset(of: before.map(\.file)) else { continue }
            for definition in before where !now.contains(definition.file) {
                if let file = view.files[definition.file] {
                    guard file.isIncomplete else { continue }
                    found[key, default: []].append(definition)
                    missing[definition.file, default: []].append(key)
                    continue
                }
                guard let wait = view.wait, !view.acceptsLoss else { continue }
                let place = Place(key: key, file: definition.file)
                var leaving = leaving[place] ?? Leaving(at: view.time)
                if isEmpty && isInForce || view.isAfterGap { leaving = Leaving(at: view.time) }
                if view.touched.contains(definition.file) { leaving.latest = view.time }
                guard view.time < leaving.due(wait) else { continue }
                if !isEmpty || !isInForce { due = min(due ?? leaving.due(wait), leaving.due(wait)) }
                next[place] = leaving
                found[key, default: []].append(definition)
            }
        }
        leaving = next
    }

    /// What is closed for definitions of a file that it does not hold any more, sorted.
    func kept(in file: String) -> [ObjectKey] { (missing[file] ?? []).sorted() }

    /// Whether definitions do not all say the same.
    private static func contradict(_ definitions: [Definition]) -> Bool {
        var object = DefinedObject<Site>()
        for definition in definitions where definition.good != nil || definition.refused.closes {
            object.add(definition.good, at: Site(file: definition.file, origin: definition.refused.origin))
        }
        return object.isContradicted
    }

    /// Several refusals of one key are one, which isolates whom any of them selects.
    private static func merged(_ definitions: [Definition], isContradiction: Bool) -> RefusedObject? {
        let counted = isContradiction ? definitions : definitions.filter { $0.good == nil }
        guard var merged = counted.first?.refused else { return nil }
        var isolating = Set(merged.isolating)
        for definition in counted.dropFirst() {
            merged.diagnostics += definition.refused.diagnostics
            merged.isolating += definition.refused.isolating.filter { isolating.insert($0).inserted }
        }
        merged.unknown = ClusterObject.unknown(counted.compactMap(\.refused.unknown))
        guard isContradiction else { return merged }
        merged.isContradiction = true
        if !merged.diagnostics.contains(where: { $0.id == .duplicateObject }), counted.count > 1 {
            merged.diagnostics.append(
                repeated(merged.key, at: counted[1].refused.origin, first: counted[0].refused.origin))
        }
        return merged
    }

    /// A good definition; `before` is where the first one is.
    private static func good(_ held: FolderContents.Held, before: ObjectOrigin?) -> Definition {
        let object = held.object
        return Definition(
            file: held.file, good: object,
            refused: RefusedObject(
                key: object.key, origin: held.origin,
                diagnostics: before.map { [repeated(object.key, at: held.origin, first: $0)] } ?? [],
                isolating: PolicyLowering.lowerRefused(PolicyRefusal.closing(object)), unknown: object.unknown))
    }

    private static func repeated(_ key: ObjectKey, at place: ObjectOrigin, first: ObjectOrigin) -> Diagnostic {
        var location: SourceLocation?
        if case .manifest(let written) = place { location = written }
        return Diagnostic(
            id: .duplicateObject, location: location, message: "\(key.text) is defined twice, first at \(first)",
            hint: "keep one of them, or rename one")
    }

    private func duplicate(_ key: ObjectKey, at place: ObjectOrigin, first: ObjectOrigin) -> Condition {
        Condition(
            kind: .duplicateObject, subject: key.text,
            message: "\(place): the same object is at \(first), which is the one in force; remove one of them")
    }
}
