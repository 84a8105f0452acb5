#!/usr/bin/env bash
# Prepares an AWS account for ray_cluster.yaml: the head's role with clusters/aws_head_policy.json, a security
# group that admits ssh from one address, and an EFS file system that all nodes mount.
#
#   clusters/aws_account.sh REGION ADDRESS       e.g. clusters/aws_account.sh eu-central-1 203.0.113.7
#
# Needs the AWS client with an administrator's credentials, and the region's default network. Run it once; it
# stops at what exists already. At its end it prints what to fill in.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
export AWS_DEFAULT_REGION=$1
address=$2
[[ $address =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ && $address != 0.0.0.0 ]] || {
    echo "ADDRESS is the one IPv4 address from which you use ssh, e.g. 203.0.113.7, but got $address" >&2
    exit 2
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=fer-platform

# Spot nodes need this role of AWS's own; it may be there from earlier.
aws iam get-role --role-name AWSServiceRoleForEC2Spot >/dev/null 2>&1 ||
    aws iam create-service-linked-role --aws-service-name spot.amazonaws.com >/dev/null
aws iam create-role --role-name $name-head --assume-role-policy-document '{"Version": "2012-10-17", "Statement":
    [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}' >/dev/null
aws iam put-role-policy --role-name $name-head --policy-name $name-head --policy-document "file://$here/aws_head_policy.json"
aws iam create-instance-profile --instance-profile-name $name-head >/dev/null
aws iam add-role-to-instance-profile --instance-profile-name $name-head --role-name $name-head

vpc=$(aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId' --output text)
group=$(aws ec2 create-security-group --group-name $name --vpc-id "$vpc" \
    --description "Nodes of $name: everything between them, ssh from one address" --query GroupId --output text)
aws ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr "$address/32" >/dev/null
# Between the nodes everything is open: Ray's ports, and NFS to the file system, which is in the same group.
aws ec2 authorize-security-group-ingress --group-id "$group" --protocol all --source-group "$group" >/dev/null

files=$(aws efs create-file-system --creation-token $name --encrypted --throughput-mode elastic \
    --query FileSystemId --output text)
until [ "$(aws efs describe-file-systems --file-system-id "$files" --query 'FileSystems[0].LifeCycleState' --output text)" = available ]; do
    sleep 5
done
for subnet in $(aws ec2 describe-subnets --filters Name=vpc-id,Values="$vpc" Name=default-for-az,Values=true \
    --query 'Subnets[].SubnetId' --output text); do
    aws efs create-mount-target --file-system-id "$files" --subnet-id "$subnet" --security-groups "$group" >/dev/null
done

cat <<END
Fill in, in ray_cluster.yaml:
  FILL_IN_REGION          $AWS_DEFAULT_REGION
  FILL_IN_SECURITY_GROUP  $group
  FILL_IN_FILE_SYSTEM     $files.efs.$AWS_DEFAULT_REGION.amazonaws.com
END
