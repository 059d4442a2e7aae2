/// One open watch, as the store knows it.
struct Watcher: Sendable {
    /// What a watch is told.
    enum Signal: Sendable {
        /// Lines of events, each with its newline.
        case lines([[UInt8]])
        /// The answer ends cleanly.
        case end
    }

    let resource: APIResource
    let namespace: String?
    let options: ListOptions
    /// Only changes after this version are sent.
    let since: Int
    /// Takes a signal; called in the order of changes, and must not wait.
    let send: @Sendable (Signal) -> Void

    func selects(_ object: StoredObject) -> Bool {
        if let namespace, object.key.namespace != namespace { return false }
        if let fields = options.fields, !fields.matches(object) { return false }
        if let labels = options.labels, !labels.matches(object.labels) { return false }
        return true
    }

    /// The line for a change; `nil` when the watch does not see it. An object that stops matching is deleted for it, in its old
    /// state with the new version.
    func line(_ change: ObjectTable.Change) -> [UInt8]? {
        guard change.version > since else { return nil }
        let old = change.old.flatMap { selects($0) ? $0 : nil }
        let new = change.new.flatMap { selects($0) ? $0 : nil }
        switch (old, new) {
        case (nil, nil): return nil
        case (nil, .some(let new)): return Watcher.line("ADDED", new.bytes)
        case (.some, .some(let new)): return Watcher.line("MODIFIED", new.bytes)
        case (.some(let old), nil):
            return Watcher.line("DELETED", old.moved(to: change.version, resource).bytes)
        }
    }

    static func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"object\":".utf8) + object + Array("}\n".utf8)
    }

    static func error(_ status: APIStatus) -> [UInt8] { line("ERROR", status.value.bytes) }

    func bookmark(_ version: Int, endsInitialEvents: Bool) -> [UInt8] {
        let end = #""annotations":{"k8s.io/initial-events-end":"true"}"#
        let object: String
        if resource.isCustom {
            let annotations = endsInitialEvents ? end + "," : ""
            object =
                #"{"apiVersion":"\#(resource.apiVersion)","kind":"\#(resource.kind)","metadata":{\#(annotations)"resourceVersion":"\#(version)"}}"#
        } else {
            let annotations = endsInitialEvents ? "," + end : ""
            object =
                #"{"kind":"\#(resource.kind)","apiVersion":"\#(resource.apiVersion)","metadata":{"resourceVersion":"\#(version)"\#(annotations)}\#(resource.bookmarkTail)}"#
        }
        return Watcher.line("BOOKMARK", Array(object.utf8))
    }
}
