/// An answer that is not the object that was asked for.
struct APIStatus: Error, Sendable {
    /// The HTTP status.
    var code: Int
    /// What the answer says.
    var message: String
    /// `reason`; `nil` where the recorded server gives none.
    var reason: String?
    /// `details`.
    var details: JSONValue?
    /// `metadata.continue`.
    var continueToken: String?
    /// `Retry-After` and, in JSON, `details.retryAfterSeconds`.
    var retryAfter: Int?
    /// Whether the body is the message alone, as text/plain.
    var isPlainText = false
    /// Whether the answer forbids browsers to guess its type, as refusals and plain text do.
    var hasNoSniff = false

    init(
        _ code: Int, _ reason: String?, _ message: String, details: JSONValue? = nil, continueToken: String? = nil,
        retryAfter: Int? = nil, isPlainText: Bool = false, hasNoSniff: Bool = false
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.continueToken = continueToken
        self.retryAfter = retryAfter
        self.isPlainText = isPlainText
        self.hasNoSniff = hasNoSniff
    }

    /// The Status object.
    var value: JSONValue {
        var value: JSONValue = ["kind": "Status", "apiVersion": "v1", "metadata": .object([])]
        if let continueToken { value["metadata"] = ["continue": .string(continueToken)] }
        value["status"] = "Failure"
        value["message"] = .string(message)
        value["reason"] = reason.map { .string($0) }
        value["details"] = details
        value["code"] = .integer(code)
        return value
    }

    /// The body of the answer.
    var body: [UInt8] { isPlainText ? Array(message.utf8) + [UInt8(ascii: "\n")] : value.bytes + [UInt8(ascii: "\n")] }

    static func badRequest(_ message: String) -> APIStatus { APIStatus(400, "BadRequest", message) }

    static let unauthorized = APIStatus(401, "Unauthorized", "Unauthorized")

    static let pageNotFound = APIStatus(404, nil, "404 page not found", isPlainText: true, hasNoSniff: true)

    static let noResource = APIStatus(
        404, "NotFound", "the server could not find the requested resource", details: .object([]))

    static let methodNotAllowed = APIStatus(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource",
        details: .object([]))

    /// Right after a CRD was made or its schema changed, and just after the server started.
    static let initializing = APIStatus(
        429, "TooManyRequests", "storage is (re)initializing", details: ["retryAfterSeconds": .integer(1)],
        retryAfter: 1)

    /// From max-inflight and from priority and fairness.
    static let tooManyRequests = APIStatus(
        429, nil, "Too many requests, please try again later.", retryAfter: 1, isPlainText: true, hasNoSniff: true)

    /// Before all paths are known.
    static let starting = APIStatus(
        503, "ServiceUnavailable",
        "the request has been made before all known HTTP paths have been installed, please try again",
        details: ["retryAfterSeconds": .integer(5)], retryAfter: 5)

    static func notFound(_ resource: APIResource, _ name: String) -> APIStatus {
        APIStatus(
            404, "NotFound", "\(resource.qualifiedName) \"\(name)\" not found", details: details(resource, name))
    }

    static func alreadyExists(_ resource: APIResource, _ name: String) -> APIStatus {
        APIStatus(
            409, "AlreadyExists", "\(resource.qualifiedName) \"\(name)\" already exists",
            details: details(resource, name))
    }

    static func conflict(_ resource: APIResource, _ name: String) -> APIStatus {
        APIStatus(
            409, "Conflict",
            "Operation cannot be fulfilled on \(resource.qualifiedName) \"\(name)\": the object has been modified; please apply your changes to the latest version and try again",
            details: details(resource, name))
    }

    static func forbidden(
        user: String, verb: String, group: String, resource: String, namespace: String?, name: String?,
        why: String? = nil
    ) -> APIStatus {
        let qualified = group.isEmpty ? resource : "\(resource).\(group)"
        let named = name.map { "\(qualified) \"\($0)\"" } ?? qualified
        let place = namespace.map { "in the namespace \"\($0)\"" } ?? "at the cluster scope"
        var details: JSONValue = .object([])
        if let name { details["name"] = .string(name) }
        if !group.isEmpty { details["group"] = .string(group) }
        details["kind"] = .string(resource)
        return APIStatus(
            403, "Forbidden",
            "\(named) is forbidden: User \"\(user)\" cannot \(verb) resource \"\(resource)\" in API group \"\(group)\" \(place)"
                + (why.map { ": \($0)" } ?? ""),
            details: details, hasNoSniff: true)
    }

    /// A field of the object or of the options that is not valid.
    static func invalid(
        _ kind: String, group: String, name: String?, field: String, reason: String, _ problem: String
    ) -> APIStatus {
        var details: JSONValue = .object([])
        if let name { details["name"] = .string(name) }
        if !group.isEmpty { details["group"] = .string(group) }
        details["kind"] = .string(kind)
        details["causes"] = [["reason": .string(reason), "message": .string(problem), "field": .string(field)]]
        let qualified = group.isEmpty ? kind : "\(kind).\(group)"
        return APIStatus(
            422, "Invalid", "\(qualified) \"\(name ?? "")\" is invalid: \(field): \(problem)", details: details)
    }

    /// A watch from before what the server remembers.
    static func tooOld(_ version: Int, oldest: Int) -> APIStatus {
        APIStatus(410, "Expired", "too old resource version: \(version) (\(oldest))")
    }

    /// A list at a version that the server no longer has.
    static let listTooOld = APIStatus(410, "Expired", "The resourceVersion for the provided list is too old.")

    static func continueTooOld(_ token: String) -> APIStatus {
        APIStatus(
            410, "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
            continueToken: token)
    }

    /// A version that the server has not reached.
    static func tooLarge(_ version: Int, current: Int) -> APIStatus {
        APIStatus(
            504, "Timeout", "Timeout: Too large resource version: \(version), current: \(current)",
            details: [
                "causes": [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]],
                "retryAfterSeconds": .integer(1),
            ], retryAfter: 1)
    }

    private static func details(_ resource: APIResource, _ name: String) -> JSONValue {
        var details: JSONValue = ["name": .string(name)]
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        details["kind"] = .string(resource.name)
        return details
    }
}
