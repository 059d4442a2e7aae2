/// What is to be sent for a request.
enum APIAnswer: Sendable {
    /// The whole body in pieces, as the server writes it.
    case whole(code: Int, contentType: String, headers: [(name: String, value: String)], pieces: [[UInt8]])
    /// A refusal.
    case status(APIStatus)
    /// A refusal after the server has waited for the version.
    case late(APIStatus)
    /// A watch that can be opened.
    case watch(APIResource, namespace: String?, ListOptions)

    /// JSON with its newline.
    static func json(_ bytes: [UInt8], code: Int = 200, headers: [(name: String, value: String)] = []) -> APIAnswer {
        .whole(code: code, contentType: "application/json", headers: headers, pieces: [bytes + [UInt8(ascii: "\n")]])
    }
}
