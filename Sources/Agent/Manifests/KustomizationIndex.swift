import PolicyAPI
import Support

/// The kustomizations among the files of a search, and what they make of the others.
struct KustomizationIndex {
    /// What becomes of a file.
    enum Fate: Hashable {
        /// It is read as it is.
        case read
        /// Its objects are read with this namespace.
        case moved(String)
        /// Those of its objects that name no namespace are read with this one.
        case settled(String)
        /// It is a kustomization or a patch: no object.
        case part
        /// Read one by one its objects are not what is applied.
        case leftOut
        /// The same, but only of objects that name no namespace.
        case bareLeftOut
    }

    /// What all who take a file on one way make of it.
    private struct Effect: Hashable {
        var namespace: String?
        /// The namespace of objects that name none; of one that nobody knows, `nil` inside.
        var bare: String??
        var isOther = false

        /// What an inner kustomization adds: those around it come later and win.
        func taking(_ changes: [Kustomization.Change]) -> Effect {
            var effect = self
            for change in changes {
                switch change {
                case .namespace(let name): effect.namespace = effect.namespace ?? name
                case .bareNamespace(let name): effect.bare = effect.bare ?? .some(name)
                case .other: effect.isOther = true
                }
            }
            return effect
        }

        /// The same for each object, whoever else changes it.
        var settled: Effect {
            var effect = self
            if effect.namespace != nil { effect.bare = nil }
            return effect
        }

        var fate: Fate {
            if isOther { return .leftOut }
            if let namespace { return .moved(namespace) }
            if let bare { return bare.map { .settled($0) } ?? .bareLeftOut }
            return .read
        }
    }

    private struct Step: Hashable {
        let place: String
        let effect: Effect
    }

    private var fates: [String: Fate] = [:]
    private var byFolder: [String: Kustomization] = [:]
    private var changingFile: [String: [Kustomization]] = [:]
    private var effects: [String: Set<Effect>] = [:]
    private var patches: Set<String> = []
    /// What kustomizations take that is not read, by their files.
    private var unread: [String: UnreadResources] = [:]

    /// Reads the kustomizations among files, and the objects that act like some.
    ///
    /// - Parameters:
    ///   - files: the files of the search.
    ///   - roots: what somebody named.
    ///   - isPassedOver: whether somebody has said that a path is not to be looked at.
    ///   - read: the bytes of a file; `nil` when there are none. A pipe that was named has none here: they can be read once only.
    init(
        _ files: [String], roots: [String] = [], isPassedOver: @escaping (String) -> Bool = { _ in false },
        read: (String) -> [UInt8]? = ManifestFiles.readAgain
    ) {
        for file in files {
            let name = file.split(separator: "/").last.map(String.init) ?? file
            guard Kustomization.fileNames.contains(name) else { continue }
            fates[Kustomization.normal(file)] = .part
            guard let bytes = read(file) else { continue }
            var found = Kustomization(bytes, file: file)
            if found.isUnreadable {
                // It may take, and change, whatever is there.
                let folder = Kustomization.normal(found.folder)
                found = found.taking(files.map(Kustomization.normal).filter { Kustomization.holds(folder, $0) })
            }
            byFolder[Kustomization.normal(found.folder)] = found
            patches.formUnion(found.patches)
        }
        if !byFolder.isEmpty {
            var known = ReadPaths(files, isPassedOver: isPassedOver)
            for (_, found) in byFolder { unread[Kustomization.normal(found.file)] = found.unread(but: &known) }
        }
        let others = files.filter { $0 != "-" && fates[Kustomization.normal($0)] == nil }
        let delivered = DeliveryObjects(others, roots: roots, kustomized: Set(byFolder.keys), read: read).found
        guard !byFolder.isEmpty || !delivered.isEmpty else { return }
        let taken = Set((byFolder.values + delivered).flatMap(\.resources))
        for kustomization in delivered
            + byFolder.filter({ !taken.contains($0.key) }).sorted(by: { $0.key < $1.key })
            .map(\.value)
        {
            follow(kustomization)
        }
        // Those that take each other in a circle are nobody's beginning.
        for kustomization in Array(byFolder.values) + delivered where !kustomization.changes.isEmpty {
            var seen: Set<String> = []
            govern(kustomization, kustomization, &seen)
        }
    }

    /// Notes on which ways files are taken.
    private mutating func follow(_ root: Kustomization) {
        var seen: Set<Step> = []
        var waiting = [(root, Effect().taking(root.changes))]
        while let (kustomization, effect) = waiting.popLast() {
            for path in kustomization.resources {
                guard let inner = byFolder[path] else {
                    effects[path, default: []].insert(effect.settled)
                    continue
                }
                let next = effect.taking(inner.changes)
                if seen.insert(Step(place: path, effect: next)).inserted { waiting.append((inner, next)) }
            }
        }
    }

    /// Notes that what `inner` takes is changed by `outer`.
    private mutating func govern(_ outer: Kustomization, _ inner: Kustomization, _ seen: inout Set<String>) {
        guard seen.insert("\(inner.location)").inserted else { return }
        for path in inner.resources {
            if let next = byFolder[path] {
                govern(outer, next, &seen)
            } else {
                changingFile[path, default: []].append(outer)
            }
        }
    }

    /// What becomes of a file.
    func fate(of file: String) -> Fate {
        let path = Kustomization.normal(file)
        if let known = fates[path] { return known }
        if patches.contains(path) { return .part }
        guard let first = changingFile[path]?.first else { return .read }
        guard let found = effects[path] else { return first.changes.isEmpty ? .read : .leftOut }
        if found.count == 1, let effect = found.first { return effect.fate }
        let isAboutBare = found.allSatisfy { $0.namespace == nil && !$0.isOther }
        return isAboutBare ? .bareLeftOut : .leftOut
    }

    /// The namespaces that a file's objects get, one for each kustomization that includes it; `nil`: the namespace as written.
    func namespaces(of file: String) -> Set<String?> {
        let found = effects[Kustomization.normal(file)] ?? []
        return found.isEmpty ? [nil] : Set(found.map { $0.namespace ?? ($0.bare ?? nil) })
    }

    /// What a kustomization takes, or makes, that is not read; `nil` for nothing, and for other files.
    func unread(by file: String) -> UnreadResources? { unread[Kustomization.normal(file)] }

    /// The kustomizations that change a file.
    func changing(_ file: String) -> [Kustomization] { changingFile[Kustomization.normal(file)] ?? [] }
}
