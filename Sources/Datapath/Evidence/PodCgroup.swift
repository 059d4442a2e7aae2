/// Finds the pod in the cgroup of a process.
enum PodCgroup {
    /// The UIDs of pods in a `/proc/<pid>/cgroup`, as Kubernetes writes them: one for a process of a pod (version 1 has a line a
    /// controller, which agree), none for others.
    ///
    /// The kubelet's two drivers name a pod's cgroup `.../kubepods/burstable/pod<UID>` and
    /// `.../kubepods-burstable-pod<UID>.slice` (with underscores in the UID). What is below that is the pod's own, which may
    /// call its cgroups what it likes: the outermost match counts.
    static func uids(in file: some Sequence<UInt8>) -> Set<String> {
        var found: Set<String> = []
        for line in String(decoding: Array(file), as: UTF8.self).split(separator: "\n") {
            // hierarchy:controllers:path; the path may hold colons.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3, let uid = uid(inPath: parts[2]) { found.insert(uid) }
        }
        return found
    }

    private static func uid(inPath path: Substring) -> String? {
        var isBelowPods = false
        for component in path.split(separator: "/") {
            if component.hasSuffix(".slice"), let uid = uid(ofSlice: component.dropLast(".slice".count)) { return uid }
            if isBelowPods, component.hasPrefix("pod"), let uid = uid(component.dropFirst("pod".count)) { return uid }
            // `--cgroup-root` and nested kubelets (kind) put something before it.
            if component == "kubepods" || component.hasSuffix("-kubepods") { isBelowPods = true }
        }
        return nil
    }

    /// `kubepods-besteffort-pod<UID>`, with the names of its parents before it.
    private static func uid(ofSlice slice: Substring) -> String? {
        let parts = slice.split(separator: "-", omittingEmptySubsequences: false)
        guard let last = parts.last, last.hasPrefix("pod"), parts.dropLast().contains("kubepods") else { return nil }
        return uid(Substring(last.dropFirst("pod".count).map { $0 == "_" ? "-" : $0 }))
    }

    /// A UID: 32 hexadecimal digits (static pods), or with hyphens after 8, 12, 16 and 20 of them.
    private static func uid(_ text: Substring) -> String? {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        guard [[32], [8, 4, 4, 4, 12]].contains(groups.map(\.utf8.count)) else { return nil }
        let isHexadecimal = groups.allSatisfy {
            $0.utf8.allSatisfy { byte in Character(UnicodeScalar(byte)).isHexDigit }
        }
        return isHexadecimal ? String(text) : nil
    }
}
