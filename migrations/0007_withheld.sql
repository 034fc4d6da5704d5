-- What is write-only in the parts of apps is no longer stored in them: what was stored goes, and the notes of
-- `kubectl apply` with it, which repeat it. The parts themselves keep what they have.

UPDATE resources SET object = json_remove(
  json_set(object, '$.spec.objects', (
    SELECT json_group_array(json(iif(
      json_extract(part.value, '$.kind') IN ('SecureValue', 'User'),
      json_remove(part.value, '$.spec.value', '$.spec.password',
        '$.metadata.annotations."kubectl.kubernetes.io/last-applied-configuration"'),
      part.value)))
    FROM json_each(object, '$.spec.objects') part)),
  '$.metadata.annotations."kubectl.kubernetes.io/last-applied-configuration"')
WHERE api_group = 'platform.entrepot.dev' AND resource = 'apps'
  AND json_type(object, '$.spec.objects') = 'array';

UPDATE resource_events SET object = json_remove(
  json_set(object, '$.spec.objects', (
    SELECT json_group_array(json(iif(
      json_extract(part.value, '$.kind') IN ('SecureValue', 'User'),
      json_remove(part.value, '$.spec.value', '$.spec.password',
        '$.metadata.annotations."kubectl.kubernetes.io/last-applied-configuration"'),
      part.value)))
    FROM json_each(object, '$.spec.objects') part)),
  '$.metadata.annotations."kubectl.kubernetes.io/last-applied-configuration"')
WHERE api_group = 'platform.entrepot.dev' AND resource = 'apps'
  AND json_type(object, '$.spec.objects') = 'array';
