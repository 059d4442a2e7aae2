/// The query of a list or watch.
struct ListOptions: Sendable {
    var isWatch = false
    var limit: Int?
    var continueToken: String?
    /// `nil` when absent or empty, as the API server reads it.
    var version: String?
    var versionMatch: String?
    var allowsBookmarks = false
    var sendsInitialEvents: Bool?
    var timeout: Int?
    var fields: FieldSelector?
    var labels: LabelRequirements?

    /// Reads a query; throws the answer to one that is refused.
    init(_ query: [String: String], resource: APIResource) throws(APIStatus) {
        isWatch = ListOptions.isTrue(query["watch"])
        allowsBookmarks = ListOptions.isTrue(query["allowWatchBookmarks"])
        sendsInitialEvents = query["sendInitialEvents"].map { ListOptions.isTrue($0) }
        version = query["resourceVersion"].flatMap { $0.isEmpty ? nil : $0 }
        versionMatch = query["resourceVersionMatch"].flatMap { $0.isEmpty ? nil : $0 }
        continueToken = query["continue"].flatMap { $0.isEmpty ? nil : $0 }
        limit = try ListOptions.number(query["limit"])
        timeout = try ListOptions.number(query["timeoutSeconds"])
        fields = try query["fieldSelector"].flatMap { $0.isEmpty ? nil : $0 }.map { text throws(APIStatus) in
            try FieldSelector(text, resource)
        }
        labels = try query["labelSelector"].flatMap { $0.isEmpty ? nil : $0 }.map { text throws(APIStatus) in
            try LabelRequirements(text)
        }
    }

    private static func isTrue(_ text: String?) -> Bool {
        text == "1" || text == "true" || text == "True" || text == ""
    }

    private static func number(_ text: String?) throws(APIStatus) -> Int? {
        guard let text, !text.isEmpty else { return nil }
        guard let value = Int(text) else {
            throw .badRequest("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        return value
    }
}
