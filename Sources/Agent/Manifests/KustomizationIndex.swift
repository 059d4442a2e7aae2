import PolicyAPI
import Support

/// The kustomizations among the files of a search, and what they make of the others.
struct KustomizationIndex {
    /// What becomes of a file.
    enum Fate: Equatable {
        /// It is read as it is.
        case read
        /// Its objects are read with this namespace.
        case moved(String)
        /// It is a kustomization or a patch: no object.
        case part
        /// Read one by one its objects are not what is applied.
        case leftOut
    }

    private var fates: [String: Fate] = [:]
    private var byFolder: [String: Kustomization] = [:]
    private var ofFile: [String: [Kustomization]] = [:]
    private var patches: Set<String> = []

    /// Reads the kustomizations among files.
    init(_ files: [String]) {
        for file in files {
            let name = file.split(separator: "/").last.map(String.init) ?? file
            guard Kustomization.fileNames.contains(name) else { continue }
            fates[Kustomization.normal(file)] = .part
            guard let bytes = try? ManifestFiles.read(file) else { continue }
            let found = Kustomization(bytes, file: file)
            byFolder[Kustomization.normal(found.folder)] = found
            patches.formUnion(found.patches)
        }
        for kustomization in byFolder.values where !kustomization.changes.isEmpty {
            var seen: Set<String> = []
            govern(kustomization, kustomization, &seen)
        }
    }

    /// Notes that what `inner` takes is changed by `outer`.
    private mutating func govern(_ outer: Kustomization, _ inner: Kustomization, _ seen: inout Set<String>) {
        guard seen.insert(inner.file).inserted else { return }
        for path in inner.resources {
            if let next = byFolder[path] { govern(outer, next, &seen) } else { ofFile[path, default: []].append(outer) }
        }
    }

    /// What becomes of a file.
    func fate(of file: String) -> Fate {
        let path = Kustomization.normal(file)
        if let known = fates[path] { return known }
        if patches.contains(path) { return .part }
        let changes = (ofFile[path] ?? []).map(\.changes)
        guard let first = changes.first else { return .read }
        if changes.count == 1, first.count == 1, case .namespace(let name)? = first.first { return .moved(name) }
        return .leftOut
    }

    /// The kustomizations that change a file.
    func changing(_ file: String) -> [Kustomization] { ofFile[Kustomization.normal(file)] ?? [] }
}
