import Glibc
import PolicyAPI

/// Objects of Flux and Argo CD that apply a folder of the same repository, and what they change of it: a namespace in the first place.
///
/// A Flux Kustomization says `path` from the root of its repository and takes it as kustomize would; an Argo CD Application gives its
/// destination's namespace to objects that name none. Objects that change nothing are passed over, and so are those about folders that
/// are not among the files: their repository is another one.
///
/// What an ApplicationSet's generators give that is not written in the repository (clusters, pull requests, contents of files) nobody
/// knows here. A folder that its template may mean then, and that nothing else is known to take, has objects of a namespace that is not
/// known either.
struct DeliveryObjects {
    /// What they do, as kustomizations.
    private(set) var found: [Kustomization] = []

    private let files: [String]
    private let roots: [String]
    private let kustomized: Set<String>
    /// What takes folders of which only the pattern is known.
    private var unknown:
        [(pattern: String, place: SourceLocation, changes: [Kustomization.Change], isDeep: Bool, remedy: String)] = []

    /// Looks for such objects in files.
    ///
    /// - Parameters:
    ///   - files: the files of a search that are no kustomizations.
    ///   - roots: what somebody named.
    ///   - kustomized: folders with a kustomization.
    ///   - read: the bytes of a file; `nil` when there are none.
    init(_ files: [String], roots: [String], kustomized: Set<String>, read: (String) -> [UInt8]?) {
        self.files = files.map(Kustomization.normal)
        self.roots = roots.map(Kustomization.normal)
        self.kustomized = kustomized
        for file in files {
            guard let bytes = read(file), DeliveryObjects.mayHold(bytes) else { continue }
            for document in DocumentReader.read(bytes, file: file).documents {
                for object in document["kind"]?.string == "List" ? document["items"]?.elements ?? [] : [document] {
                    add(object)
                }
            }
        }
        takeUnknown()
    }

    /// Whether a file names one of the kinds: nearly all do not, and are not decoded twice.
    private static func mayHold(_ bytes: [UInt8]) -> Bool {
        let groups = ["kustomize.toolkit.fluxcd.io", "argoproj.io"].map { Array($0.utf8) }
        return bytes.withUnsafeBufferPointer { text in
            guard let start = text.baseAddress else { return false }
            var index = 0
            // A slash is rare, and each group has one behind it.
            while let found = memchr(start + index, Int32(UInt8(ascii: "/")), text.count - index) {
                let place = UnsafeRawPointer(found) - UnsafeRawPointer(start)
                if groups.contains(where: { place >= $0.count && text[(place - $0.count)..<place].elementsEqual($0) }) {
                    return true
                }
                index = place + 1
            }
            return false
        }
    }

    private mutating func add(_ object: DocumentNode) {
        let version = object["apiVersion"]?.string ?? ""
        let name = object["metadata"]?["name"]?.string ?? ""
        guard let spec = object["spec"] else { return }
        switch object["kind"]?.string {
        case "Kustomization" where version.hasPrefix("kustomize.toolkit.fluxcd.io/"):
            guard let path = spec["path"]?.string else { return }
            take(
                path, object.location, changes: DeliveryObjects.fluxChanges(spec), isDeep: true,
                remedy: "read what it makes: flux build kustomization \(name) --path \(path) | netpold lint -f -")
        case "Application" where version.hasPrefix("argoproj.io/"):
            take(application: spec, named: name, object.location, with: [:])
        case "ApplicationSet" where version.hasPrefix("argoproj.io/"):
            guard let template = spec["template"]?["spec"] else { return }
            for generator in spec["generators"]?.elements ?? [] {
                for values in values(of: generator, object.location) {
                    take(application: template, named: name, object.location, with: values)
                }
            }
        default: return
        }
    }

    private static func fluxChanges(_ spec: DocumentNode) -> [Kustomization.Change] {
        var changes: [Kustomization.Change] = []
        if let name = spec["targetNamespace"]?.string, !name.isEmpty { changes.append(.namespace(name)) }
        for key in ["namePrefix", "nameSuffix", "patches", "patchesStrategicMerge", "patchesJson6902", "components"]
        where spec[key].map({ !$0.isNull && $0.elements?.isEmpty != true && $0.string != "" }) == true {
            changes.append(.other(key))
        }
        if spec["commonMetadata"]?["labels"]?.members?.isEmpty == false { changes.append(.other("commonMetadata")) }
        return changes
    }

    private mutating func take(
        application spec: DocumentNode, named name: String, _ place: SourceLocation, with values: [String: String]
    ) {
        let namespace = spec["destination"]?["namespace"]?.string.map { DeliveryObjects.fill($0, values) }
        let remedy = "read what it makes: argocd app manifests \(name) | netpold lint -f -"
        for source in spec["sources"]?.elements ?? [spec["source"]].compactMap(\.self) {
            guard let path = source["path"]?.string.map({ DeliveryObjects.fill($0, values) }) else { continue }
            let isDeep = source["directory"]?["recurse"]?.boolean == true
            let isKnown = !path.contains("{{")
            var changes = Kustomization.changes(source["kustomize"])
            if let namespace, !namespace.isEmpty {
                changes.append(.bareNamespace(isKnown && !namespace.contains("{{") ? namespace : nil))
            }
            if isKnown {
                take(path, place, changes: changes, isDeep: isDeep, remedy: remedy)
            } else if !changes.isEmpty {
                unknown.append((path.replacing(/\{\{.*?\}\}/, with: "*"), place, changes, isDeep, remedy))
            }
        }
    }

    /// Takes the folders that fit the patterns, without the files that are taken already.
    private mutating func takeUnknown() {
        let known = Set(found.flatMap(\.resources))
        for (pattern, place, changes, isDeep, remedy) in unknown {
            guard let root = repository(of: place.file) else { continue }
            let steps = pattern.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            // A value may have slashes in it.
            let taken = folders(below: root).filter { fnmatch(steps, $0, 0) == 0 }.flatMap { folder -> [String] in
                let path = root == "." ? folder : Kustomization.normal("\(root)/\(folder)")
                return kustomized.contains(path) ? [path] : contents(of: path, isDeep: isDeep)
            }.filter { !known.contains($0) }
            guard !taken.isEmpty else { continue }
            found.append(
                Kustomization(
                    location: place, folder: root, resources: Array(Set(taken)).sorted(), changes: changes,
                    remedy: remedy))
        }
    }

    /// The values that a generator gives to a template, as far as they are written here: of one that is not read a set without any.
    private func values(of generator: DocumentNode, _ place: SourceLocation) -> [[String: String]] {
        if let elements = generator["list"]?["elements"]?.elements {
            return elements.map { element in
                Dictionary(
                    (element.members ?? []).compactMap { member in member.value.scalar.map { (member.key, $0.text) } }
                ) { first, _ in first }
            }
        }
        if let inner = generator["matrix"]?["generators"]?.elements {
            // Each with each.
            return inner.reduce([[:]]) { sets, generator in
                let more = values(of: generator, place)
                return sets.flatMap { set in more.map { set.merging($0) { first, _ in first } } }
            }
        }
        // The others change values of the first.
        if let base = generator["merge"]?["generators"]?.elements?.first {
            let keys = (generator["merge"]?["mergeKeys"]?.elements ?? []).compactMap(\.string)
            return values(of: base, place).map { $0.filter { keys.contains($0.key) } }
        }
        guard let patterns = generator["git"]?["directories"]?.elements,
            !patterns.contains(where: { $0["path"]?.string?.contains("{{") == true })
        else { return [[:]] }
        let isExcluded = { (pattern: DocumentNode) in pattern["exclude"]?.boolean == true }
        guard let root = repository(of: place.file) else { return [] }
        return folders(below: root).filter { folder in
            func matches(_ pattern: DocumentNode) -> Bool {
                pattern["path"]?.string.map { fnmatch($0, folder, FNM_PATHNAME) == 0 } ?? false
            }
            return patterns.contains { !isExcluded($0) && matches($0) }
                && !patterns.contains { isExcluded($0) && matches($0) }
        }.map { folder in
            let base = folder.split(separator: "/").last.map(String.init) ?? folder
            return ["path": folder, "path.path": folder, "path.basename": base, "path.basenameNormalized": base]
        }
    }

    /// A text with the values of its placeholders that are known: `{{path.basename}}`, `{{ .path.basename }}`.
    private static func fill(_ text: String, _ values: [String: String]) -> String {
        text.replacing(/\{\{\s*\.?([A-Za-z0-9_.]+)\s*\}\}/) { match in
            values[String(match.output.1)] ?? String(match.output.0)
        }
    }

    /// Adds what an object does to a folder.
    private mutating func take(
        _ path: String, _ place: SourceLocation, changes: [Kustomization.Change], isDeep: Bool, remedy: String
    ) {
        guard !changes.isEmpty, let folder = folder(path, of: place.file) else { return }
        let taken = kustomized.contains(folder) ? [folder] : contents(of: folder, isDeep: isDeep)
        found.append(
            Kustomization(location: place, folder: folder, resources: taken, changes: changes, remedy: remedy))
    }

    /// The files of a folder, and folders in it that have a kustomization of their own in place of their files.
    private func contents(of folder: String, isDeep: Bool) -> [String] {
        var taken: [String] = []
        for file in files where Kustomization.holds(folder, file) {
            let inside = Kustomization.folder(of: file)
            guard inside != folder else {
                taken.append(file)
                continue
            }
            guard isDeep else { continue }
            var around = [inside]
            while let last = around.last, last != folder, last.contains("/") {
                around.append(Kustomization.folder(of: last))
            }
            if let own = around.last(where: { $0 != folder && kustomized.contains($0) }) {
                if taken.last != own { taken.append(own) }
            } else {
                taken.append(file)
            }
        }
        for own in kustomized.sorted() where isDeep && Kustomization.holds(folder, own + "/") && !taken.contains(own) {
            taken.append(own)
        }
        return taken
    }

    /// Every folder with files, and those around them, as paths from a root.
    private func folders(below root: String) -> [String] {
        var all: Set<String> = []
        for file in files where Kustomization.holds(root, file) {
            let inside = root == "." ? file : String(file.dropFirst(root == "/" ? 1 : root.count + 1))
            let steps = inside.split(separator: "/").dropLast()
            for count in steps.indices { all.insert(steps.prefix(count + 1).joined(separator: "/")) }
        }
        return all.sorted()
    }

    /// The folder that a path means, which is written from the root of the repository; `nil` when there is none with files.
    private func folder(_ path: String, of file: String) -> String? {
        let ancestors = ancestors(of: file)
        let possible = ancestors.filter { access("\($0)/.git", F_OK) == 0 }
        for root in possible.isEmpty ? ancestors : possible {
            guard let folder = Kustomization.join(root, path.hasPrefix("/") ? String(path.dropFirst()) : path) else {
                return nil
            }
            let own = folder + "/"
            if kustomized.contains(folder) || files.contains(where: { Kustomization.holds(folder, $0) })
                || kustomized.contains(where: { $0.hasPrefix(own) })
            {
                return folder
            }
        }
        return nil
    }

    /// The root of the repository that a file is of, as far as it can be told.
    private func repository(of file: String) -> String? {
        let ancestors = ancestors(of: file)
        return ancestors.first { access("\($0)/.git", F_OK) == 0 } ?? ancestors.first
    }

    /// The folders around a file, from the one that was named inwards.
    private func ancestors(of file: String) -> [String] {
        var folders: [String] = []
        var folder = Kustomization.folder(of: Kustomization.normal(file))
        while true {
            folders.append(folder)
            if roots.contains(folder) || folder == "." || folder == "/" { break }
            folder = Kustomization.folder(of: folder)
        }
        return folders.reversed()
    }
}
